package controlplane_test

import (
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/controlplane/controlplanetest"
)

// Valid settings of an engine are accepted and invalid ones refused with a sentence.
func TestEngineSettingsValidated(t *testing.T) {
	opts := controlplanetest.Options(t)
	controlplanetest.StartWith(t, opts)
	user := dynamicClient(t, userConfig(t, opts))
	const mirror, insecure, server = "must be http:// or https://", "must be a host", "must be an IP address"
	must(t, user, apps(), newApp(nil))
	for _, test := range []struct {
		spec string
		want string // part of the message; "" is allowed
	}{
		{`{"containerEngine":{"registryMirrors":["https://mirror.example.com","http://127.0.0.1:5000/","http://[::1]:5000"]}}`, ""},
		{`{"containerEngine":{"registryMirrors":["mirror.example.com"]}}`, mirror},
		{`{"containerEngine":{"registryMirrors":["https://mirror/path"]}}`, mirror},
		{`{"containerEngine":{"registryMirrors":["https://me@mirror"]}}`, mirror},
		{`{"containerEngine":{"insecureRegistries":["registry.lan:5000","10.0.0.0/8","[fd00::1]:5000"]}}`, ""},
		{`{"containerEngine":{"insecureRegistries":["http://registry.lan"]}}`, insecure},
		{`{"containerEngine":{"insecureRegistries":["registry.lan/team"]}}`, insecure},
		{`{"containerEngine":{"dns":["10.0.0.53","fd00::53"]}}`, ""},
		{`{"containerEngine":{"dns":["resolver"]}}`, server},
		{`{"containerEngine":{"proxy":{"http":"http://proxy:3128","https":"","no":"localhost,.example.com,10.0.0.0/8"}}}`, ""},
		{`{"containerEngine":{"proxy":{"http":"proxy:3128"}}}`, "proxy.http must be empty, or a URL"},
		{`{"containerEngine":{"proxy":{"https":"http://me:secret@proxy"}}}`, "HTTPS_PROXY"},
		{`{"containerEngine":{"proxy":{"no":"a b"}}}`, "without spaces"},
		{`{"containerEngine":{"extraArgs":["--log-level=debug","--label=a=b c","--debug"]}}`, ""},
		{`{"containerEngine":{"extraArgs":["-D"]}}`, "must be --NAME or --NAME=VALUE"},
		{`{"containerEngine":{"extraArgs":["--a=/x"]}}`, "must be --NAME or --NAME=VALUE"},
		{`{"containerEngine":{"extraArgs":["--label=a\nb"]}}`, "must be --NAME or --NAME=VALUE"},
		{`{"containerEngine":{"extraArgs":["--data-root=/x"]}}`, "must not have --data-root"},
		{`{"containerEngine":{"extraArgs":["--hosts"]}}`, "must not have --host"},
		{`{"containerEngine":{"extraArgs":["--dns=10.0.0.53"]}}`, "must not have --dns"},
		{`{"containerEngine":{"config":{"debug":true,"log-opts":{"max-size":"10m"},"labels":["a=b"]}}}`, ""},
		{`{"containerEngine":{"config":{"live-restore":false,"hosts":[]}}}`, "must not have hosts, live-restore"},
		{`{"containerEngine":{"config":"debug"}}`, "containerEngine.config"},
		{`{"containerEngine":{"name":"containerd","extraArgs":["--log-level=debug"],"proxy":{"http":"http://proxy"}}}`, ""},
		{`{"containerEngine":{"name":"containerd","dns":["10.0.0.53"]}}`, "moby only"},
		{`{"containerEngine":{"name":"containerd","config":{"debug":true}}}`, "moby only"},
		{`{"containerEngine":{"dns":[],"proxy":{"http":""}},"vm":{"driver":"external"}}`, ""},
		{`{"containerEngine":{"dns":["10.0.0.53"]},"vm":{"driver":"external"}}`, "does not configure"},
		{`{"containerEngine":{"proxy":{"no":"localhost"}},"vm":{"driver":"external"}}`, "does not configure"},
	} {
		if err := patch(apps(), "", "app", `{"spec":{"containerEngine":null,"vm":null}}`)(t.Context(), user); err != nil {
			t.Fatal(err)
		}
		err := patch(apps(), "", "app", `{"spec":`+test.spec+`}`)(t.Context(), user)
		switch {
		case test.want == "" && err != nil:
			t.Errorf("%s was rejected: %v", test.spec, err)
		case test.want != "" && (!apierrors.IsInvalid(err) || !strings.Contains(err.Error(), test.want)):
			t.Errorf("%s: %v, want %q", test.spec, err, test.want)
		}
	}
}
