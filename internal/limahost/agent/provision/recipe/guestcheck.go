package recipe

import (
	"encoding/base64"
	"fmt"
	"strings"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engineconfig"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost"
)

// Refused is the exit code of the script of GuestCheck if the engine refuses the settings.
const Refused = 3

// GuestCheck returns a script for a running guest, without root, in which the guest's
// engine checks the settings. It prints why the engine refuses them.
func GuestCheck(s limahost.Spec) (string, error) {
	settings, err := engineconfig.Decode(s.Settings)
	if err != nil {
		return "", err
	}
	var args strings.Builder
	for _, arg := range settings.ExtraArgs {
		args.WriteString(" '" + strings.ReplaceAll(arg, "'", `'\''`) + "'")
	}
	const imageCheck = `script=/usr/lib/rdd/cidata
if [ -e $script ] && ! grep -q RDD_DOCKER_CONFIG $script; then
    echo "the VM's disk was made from an image of an earlier version, which cannot apply settings: 'rdd vm reset' makes a new disk, without the images, containers and volumes"
    exit 3
fi
`
	if appv1.EngineName(s.Engine) == appv1.EngineContainerd {
		return imageCheck + fmt.Sprintf(`out=$(timeout 20 /usr/bin/containerd --version%s 2>&1)
[ $? != 1 ] || { echo "containerd in the VM refuses the settings of containerEngine: $(echo "$out" | tail -n 1): correct them with 'rdd set'"; exit 3; }
`, args.String()), nil
	}
	config, err := guestConfig(settings)
	if err != nil {
		return "", err
	}
	// A version before 23 has no --validate. It reads its configuration before it
	// refuses to run without root.
	return imageCheck + fmt.Sprintf(`config=$(mktemp) || exit 0
trap 'rm -f "$config"' EXIT
echo '%s' | base64 -d >"$config"
check() {
    out=$(timeout 20 /usr/sbin/dockerd "$@" --config-file="$config"%s 2>&1)
    code=$?
}
check --validate
case $out in *"unknown flag: --validate"*) check ;; esac
case $code.$out in
1.*"needs to be started with root"*) ;;
1.* | 125.*) echo "dockerd in the VM refuses the settings of containerEngine: $(echo "$out" | grep -v -e level=info -e "See 'dockerd --help'" | tail -n 3 | sed "s|$config|daemon.json|g"): correct them with 'rdd set'"; exit 3 ;;
esac
`, base64.StdEncoding.EncodeToString([]byte(config)), args.String()), nil
}
