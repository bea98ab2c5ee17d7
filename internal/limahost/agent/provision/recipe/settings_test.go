package recipe

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engineconfig"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/image"
)

func configured(s engineconfig.Settings) string { return s.Encode() }

// A built image gets the settings in variables, and none without settings.
func TestBuiltImageGetsSettings(t *testing.T) {
	p := home(t)
	from := image.Image{Kind: image.KindBuilt, Path: builtImage(t, here())}
	s := spec()
	if r, err := Read(from, s, p); err != nil || len(r.Config.Env) != 0 {
		t.Errorf("without settings: %v, %v", r.Config.Env, err)
	}
	s.Settings = configured(engineconfig.Settings{
		RegistryMirrors: []string{"http://mirror"}, Proxy: appv1.Proxy{HTTP: "http://127.0.0.1:3128"},
		ExtraArgs: []string{`--label=a=50% "$x"`}, Config: map[string]any{"log-level": "debug", "debug": true},
	})
	r, err := Read(from, s, p)
	if err != nil {
		t.Fatal(err)
	}
	var config map[string]any
	if err := json.Unmarshal(decoded(t, r.Config.Env["RDD_DOCKER_CONFIG"]), &config); err != nil {
		t.Fatal(err)
	}
	debug, _ := config["debug"].(bool)
	restore, _ := config["live-restore"].(bool)
	if config["log-level"] != "debug" || !debug || !restore || config["exec-opts"] == nil || config["log-driver"] == nil {
		t.Errorf("%v", config)
	}
	unit := string(decoded(t, r.Config.Env["RDD_DOCKER_UNIT"]))
	for _, part := range []string{"ExecStart=\n", `"HTTP_PROXY=http://192.168.5.2:3128" "/usr/sbin/dockerd"`, `"--config-file=/etc/docker/rdd.json"`, `"--label=a=50%% \"$$x\""`} {
		if !strings.Contains(unit, part) {
			t.Errorf("%s is missing in %s", part, unit)
		}
	}
	if _, found := r.Config.Env["RDD_CONTAINERD_UNIT"]; found {
		t.Error("containerd got settings of Docker")
	}
	s.Engine, s.Settings = "containerd", configured(engineconfig.Settings{ExtraArgs: []string{"--log-level=debug"}})
	if r, err = Read(from, s, p); err != nil || r.Config.Env["RDD_DOCKER_UNIT"] != "" || !strings.Contains(string(decoded(t, r.Config.Env["RDD_CONTAINERD_UNIT"])), `"/usr/bin/containerd" "--log-level=debug"`) {
		t.Errorf("containerd: %v, %v", r.Config.Env, err)
	}
}

func decoded(t *testing.T, text string) []byte {
	t.Helper()
	plain, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return plain
}

// A flag replaces the same key of the image's own configuration: dockerd refuses both.
func TestGuestConfigLeavesFlagsOut(t *testing.T) {
	text, err := guestConfig(engineconfig.Settings{ExtraArgs: []string{"--log-level=debug", "--log-opt=max-size=1m"}})
	if err != nil || strings.Contains(text, "log-level") || strings.Contains(text, "log-opts") || !strings.Contains(text, `"live-restore": true`) {
		t.Errorf("%v: %s", err, text)
	}
}

// The options of the image's log driver are not those of another one.
func TestGuestConfigLeavesLogOptionsOut(t *testing.T) {
	for _, settings := range []engineconfig.Settings{
		{ExtraArgs: []string{"--log-driver=journald"}}, {Config: map[string]any{"log-driver": "journald"}},
	} {
		if text, err := guestConfig(settings); err != nil || strings.Contains(text, "log-opts") {
			t.Errorf("%v: %s", err, text)
		}
	}
}

func TestSettingsRefused(t *testing.T) {
	p := home(t)
	built := image.Image{Kind: image.KindBuilt, Path: builtImage(t, here())}
	own := filepath.Join(t.TempDir(), "lima.yaml")
	if err := os.WriteFile(own, []byte(cloudYAML), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		from     image.Image
		settings engineconfig.Settings
		want     string
	}{
		{built, engineconfig.Settings{Config: map[string]any{"exec-opts": []any{}}}, "exec-opts"},
		{built, engineconfig.Settings{ExtraArgs: []string{"--exec-opt=native.cgroupdriver=systemd"}}, "exec-opts"},
		{built, engineconfig.Settings{ExtraArgs: []string{"--cgroup-parent=/x"}}, "cgroup-parent"},
		{built, engineconfig.Settings{Config: map[string]any{"hosts": []any{}}}, "rdd sets it itself"},
		{image.Image{Kind: image.KindFile, Path: own}, engineconfig.Settings{DNS: []string{"10.0.0.53"}}, "lima.yaml"},
	} {
		s := spec()
		s.Settings = configured(test.settings)
		if _, err := Read(test.from, s, p); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%+v: %v, want %q", test.settings, err, test.want)
		}
	}
}

// The public image's script writes the files, removes them without settings, and restarts
// the engine only if they changed.
func TestSettingsScriptWritesFiles(t *testing.T) {
	root := t.TempDir()
	config := filepath.Join(root, dockerConfig)
	for _, test := range []struct {
		settings  engineconfig.Settings
		restarted bool
	}{
		{engineconfig.Settings{}, false},
		{engineconfig.Settings{DNS: []string{"10.0.0.53"}}, true},
		{engineconfig.Settings{DNS: []string{"10.0.0.53"}}, false},
		{engineconfig.Settings{Config: map[string]any{"log-opts": map[string]any{"labels-regex": `^\d+$`}}}, true},
		{engineconfig.Settings{Config: map[string]any{"log-opts": map[string]any{"labels-regex": `^\d+$`}}}, false},
		{engineconfig.Settings{}, true},
	} {
		s := spec()
		s.Settings = configured(test.settings)
		scripts, err := settingsScript(image.KindCloud, s)
		if err != nil || len(scripts) != 1 {
			t.Fatalf("%v, %v", scripts, err)
		}
		script := strings.ReplaceAll(scripts[0].Script, " /etc/", " "+root+"/etc/")
		script = strings.ReplaceAll(script, "systemctl", "echo")
		out, err := exec.CommandContext(t.Context(), "sh", "-c", script).CombinedOutput()
		if err != nil || strings.Contains(string(out), "try-restart --no-block docker.service") != test.restarted {
			t.Fatalf("%+v: %v: %s", test, err, out)
		}
		text, err := os.ReadFile(config)
		if has := strings.Contains(string(text), "10.0.0.53"); has != (len(test.settings.DNS) > 0) {
			t.Errorf("%+v: %v, %s", test, err, text)
		}
		if len(text) > 0 && !json.Valid(text) {
			t.Errorf("%+v: %s", test, text)
		}
	}
	if left, err := filepath.Glob(root + "/etc/*/*/*/rdd.conf"); err != nil || len(left) > 0 {
		t.Errorf("%v, %v", left, err)
	}
}

// The guest's engine checks settings, with arguments that the shell must not interpret.
func TestGuestCheck(t *testing.T) {
	for _, test := range []struct {
		engine   string
		settings engineconfig.Settings
		want     string
	}{
		{"moby", engineconfig.Settings{ExtraArgs: []string{"--label=a='$(exit 3)' b"}, Config: map[string]any{"debug": true}}, ""},
		{"moby", engineconfig.Settings{Config: map[string]any{"debug": "yes"}}, "debug of type bool"},
		{"moby", engineconfig.Settings{ExtraArgs: []string{"--no-such"}}, "unknown flag: --no-such"},
		{"containerd", engineconfig.Settings{ExtraArgs: []string{"--log-level=debug"}}, ""},
		{"containerd", engineconfig.Settings{ExtraArgs: []string{"--no-such"}}, "-no-such"},
	} {
		s := spec()
		s.Engine, s.Settings = test.engine, configured(test.settings)
		script, err := GuestCheck(s)
		if err != nil {
			t.Fatal(err)
		}
		if os.Geteuid() == 0 { // the user of the guest is not root
			script = strings.ReplaceAll(script, "timeout 20 ", "timeout 20 setpriv --reuid=65534 --regid=65534 --clear-groups ")
			script = strings.Replace(script, "trap", "chmod 644 $config; trap", 1)
		}
		for _, program := range []string{"/usr/sbin/dockerd", "/usr/bin/containerd"} {
			if _, err := os.Stat(program); err != nil && strings.Contains(script, program) {
				t.Skip(err)
			}
		}
		cmd := exec.CommandContext(t.Context(), "sh")
		cmd.Stdin = strings.NewReader(script)
		out, err := cmd.Output()
		var exit *exec.ExitError
		refused := errors.As(err, &exit) && exit.ExitCode() == Refused
		if refused != (test.want != "") || !refused && err != nil || !strings.Contains(string(out), test.want) {
			t.Errorf("%+v: %v, %s", test, err, out)
		}
	}
}
