package recipe

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/lima-vm/lima/pkg/limayaml"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engineconfig"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/image"
)

// gateway is the host's address in the guest.
const gateway = "192.168.5.2"

// dockerConfig is the path of Docker's configuration with the settings.
const dockerConfig = "/etc/docker/rdd.json"

// guestFile is a file in the guest with settings of the engine. An empty text means that
// there is no file.
type guestFile struct {
	// variable is how a built image gets the text: a variable of Lima's environment, in
	// base64.
	variable, path, text string
	// unit is the engine that reads the file.
	unit string
}

// settingsVariables returns the variables with which a built image writes the files.
func settingsVariables(s limahost.Spec) (map[string]string, error) {
	files, err := settingsFiles(s)
	if err != nil {
		return nil, err
	}
	var variables map[string]string
	for _, file := range files {
		if file.text == "" {
			continue
		}
		if variables == nil {
			variables = map[string]string{}
		}
		variables[file.variable] = base64.StdEncoding.EncodeToString([]byte(file.text))
	}
	return variables, nil
}

// settingsScript returns the script with which the public image writes the files at each
// boot. A user's lima.yaml configures its engine itself.
func settingsScript(from image.Kind, s limahost.Spec) ([]limayaml.Provision, error) {
	if from == image.KindFile {
		if s.Settings != "" {
			return nil, errors.New("rdd does not configure the engine of a VM that has its own lima.yaml: move the settings of containerEngine to that file")
		}
		return nil, nil
	}
	files, err := settingsFiles(s)
	if err != nil {
		return nil, err
	}
	var script strings.Builder
	script.WriteString(settingsFunctions)
	for _, file := range files {
		fmt.Fprintf(&script, "put '%s' %s %s\n", base64.StdEncoding.EncodeToString([]byte(file.text)), file.path, file.unit)
	}
	script.WriteString("apply\n")
	return []limayaml.Provision{{Mode: limayaml.ProvisionModeBoot, Script: script.String()}}, nil
}

// settingsFunctions writes a file with put TEXT FILE UNIT, with the text in base64. The
// engine may run before the script does.
const settingsFunctions = `#!/bin/sh
# The settings of the engine. Without a setting there is no file.
set -eu
changed=
put() {
    new=$(echo "$1" | base64 -d)
    [ "$new" != "$(cat "$2" 2>/dev/null || true)" ] || return 0
    changed="$changed $3"
    if [ -n "$new" ]; then
        mkdir -p "${2%/*}"
        printf '%s\n' "$new" >"$2" # dash's echo would expand backslashes
    else
        rm -f "$2"
    fi
}
apply() {
    [ -n "$changed" ] || return 0
    systemctl daemon-reload
    for unit in $changed; do
        systemctl try-restart --no-block "$unit" || true # not installed before the first boot ends
    done
}
`

// settingsFiles returns the files with the settings of the engine.
func settingsFiles(s limahost.Spec) ([]guestFile, error) {
	settings, err := engineconfig.Decode(s.Settings)
	if err != nil {
		return nil, err
	}
	config := guestFile{variable: "RDD_DOCKER_CONFIG", path: dockerConfig, unit: "docker.service"}
	docker := guestFile{variable: "RDD_DOCKER_UNIT", path: "/etc/systemd/system/docker.service.d/rdd.conf", unit: "docker.service"}
	containerd := guestFile{variable: "RDD_CONTAINERD_UNIT", path: "/etc/systemd/system/containerd.service.d/rdd.conf", unit: "containerd.service"}
	if settings.IsEmpty() {
		return []guestFile{config, docker, containerd}, nil
	}
	engine := appv1.EngineName(s.Engine)
	if err := errors.Join(settings.Check(engine), checkGuest(settings)); err != nil {
		return nil, err
	}
	if engine == appv1.EngineContainerd {
		containerd.text = unit(settings, "/usr/bin/containerd")
		return []guestFile{config, docker, containerd}, nil
	}
	if config.text, err = guestConfig(settings); err != nil {
		return nil, err
	}
	docker.text = unit(settings, "/usr/sbin/dockerd", "-H", "fd://", "--containerd=/run/containerd/containerd.sock", "--config-file="+dockerConfig)
	return []guestFile{config, docker, containerd}, nil
}

// checkGuest refuses settings on which the guest depends.
func checkGuest(s engineconfig.Settings) error {
	for _, name := range []string{"cgroup-parent", "exec-opts"} {
		_, inConfig := s.Config[name]
		if inConfig || s.PropertyOf("--"+strings.TrimSuffix(name, "s")) != "" {
			return fmt.Errorf("containerEngine must not set %s in a VM, because rdd stops containers by their cgroups: remove the setting", name)
		}
	}
	return nil
}

// guestConfig returns the configuration of Docker: the image's own, and the settings.
func guestConfig(s engineconfig.Settings) (string, error) {
	config := map[string]any{}
	if err := json.Unmarshal(image.EngineConfig(), &config); err != nil {
		return "", fmt.Errorf("read the configuration of the guest's engine: %w", err)
	}
	config["log-level"] = "warn"
	own := map[string]any{"live-restore": true, "exec-opts": config["exec-opts"]}
	for _, arg := range s.ExtraArgs {
		name, _, _ := strings.Cut(strings.TrimLeft(arg, "-"), "=")
		delete(config, engineconfig.Key(name))
	}
	// dockerd does not start if its log driver does not know an option.
	if _, inConfig := s.Config["log-driver"]; inConfig || s.PropertyOf("--log-driver") != "" {
		delete(config, "log-opts")
	}
	maps.Copy(config, s.Merge(own))
	text, err := json.MarshalIndent(config, "", "  ")
	if err != nil {
		return "", fmt.Errorf("encode the configuration of the guest's engine: %w", err)
	}
	return string(text) + "\n", nil
}

// unit returns a drop-in for the engine's unit, which starts the program with the
// settings.
func unit(s engineconfig.Settings, command ...string) string {
	s.Proxy.HTTP, s.Proxy.HTTPS = forGuest(s.Proxy.HTTP), forGuest(s.Proxy.HTTPS)
	if variables := s.Variables(); len(variables) > 0 {
		command = append(append([]string{"/usr/bin/env"}, variables...), command...)
	}
	words := slices.Concat(command, s.ExtraArgs)
	for i, word := range words {
		words[i] = systemdWord(word)
	}
	return "[Service]\nExecStart=\nExecStart=" + strings.Join(words, " ") + "\n"
}

// systemdWord returns text as one word for systemd.
func systemdWord(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "%", "%%", "$", "$$").Replace(text) + `"`
}

// forGuest returns the URL of a proxy for the guest, where the loopback address is not
// the host's.
func forGuest(proxy string) string {
	at, err := url.Parse(proxy)
	if err != nil || proxy == "" {
		return proxy
	}
	ip, err := netip.ParseAddr(at.Hostname())
	if at.Hostname() != "localhost" && (err != nil || !ip.IsLoopback()) {
		return proxy
	}
	if port := at.Port(); port != "" {
		at.Host = gateway + ":" + port
	} else {
		at.Host = gateway
	}
	return at.String()
}
