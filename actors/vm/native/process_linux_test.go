package native

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/process"
)

// sleeper starts a sleeping process with additional arguments.
func sleeper(t *testing.T, args ...string) process.Process {
	t.Helper()
	cmd := exec.Command("/proc/self/exe", args...)
	cmd.Env = []string{inContainerEnv + "=0s"}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	p, ok := process.Find(cmd.Process.Pid)
	if !ok {
		t.Fatal("a running process is not found")
	}
	return p
}

func TestFindEngineRequiresConfigArgument(t *testing.T) {
	dir := t.TempDir()
	k := kind{engine: "moby", program: "dockerd", configFile: filepath.Join(dir, "docker.json")}
	p := sleeper(t, "--config-file="+k.configFile+".other")
	recorded := state{Engine: "moby", PID: p.PID, StartTime: p.Start, BootID: process.BootID()}
	if found, ok := findEngine(k, recorded); ok {
		t.Errorf("found %d, which has another configuration", found.PID)
	}
	mine := impostor{program: "dockerd", args: []string{"dockerd", k.configArg()}}.start(t)
	for name, s := range map[string]state{
		"recorded":            {Engine: "moby", PID: mine.PID, StartTime: mine.Start, BootID: process.BootID()},
		"not recorded":        {},
		"recorded wrongly":    recorded,
		"of another boot":     {Engine: "moby", PID: mine.PID, StartTime: mine.Start, BootID: "another"},
		"of a process before": {Engine: "moby", PID: mine.PID, StartTime: 1, BootID: process.BootID()},
	} {
		if found, ok := findEngine(k, s); !ok || found.PID != mine.PID {
			t.Errorf("%s: found %+v, %v; want %+v", name, found, ok, mine)
		}
	}
}

// Another program has the arguments of the engine that it starts.
func TestFindEngineRequiresItsProgram(t *testing.T) {
	k := kind{engine: "moby", program: "dockerd", configFile: filepath.Join(t.TempDir(), "docker.json")}
	impostor{program: "strace", args: []string{"strace", "dockerd", k.configArg()}}.start(t)
	if found, ok := findEngine(k, state{}); ok {
		t.Errorf("found %d: %q", found.PID, found.Args())
	}
	engine := impostor{program: "dockerd", args: []string{"dockerd", k.configArg()}}.start(t)
	if found, ok := findEngine(k, state{}); !ok || found.PID != engine.PID {
		t.Errorf("found %+v, %v; want %+v", found, ok, engine)
	}
}

func TestEngineProgramRecognized(t *testing.T) {
	for _, test := range []struct {
		engine  appv1.EngineName
		program string
		args    string
		want    bool
	}{
		{"moby", "dockerd", "/usr/sbin/dockerd --config-file=x", true},
		{"moby", "dockerd-27.1", "/opt/dockerd-27.1 --config-file=x", true},
		{"moby", ".dockerd-wrapped", "/nix/store/y/bin/dockerd --config-file=x", true},
		{"moby", "rootlesskit", "rootlesskit --net=slirp4netns /usr/bin/dockerd-rootless.sh --config-file=x", true},
		{"moby", "rootlesskit", "/proc/self/exe --net=slirp4netns /usr/bin/dockerd-rootless.sh --config-file=x", true},
		{"moby", "dash", "/bin/sh /usr/bin/dockerd-rootless.sh --config-file=x", true},
		{"moby", "bash", "/bin/sh -e /usr/bin/dockerd-rootless.sh --config-file=x", true},
		{"moby", "bash", "bash ./my.sh dockerd-rootless.sh --config-file=x", false},
		{"moby", "bash", "bash", false},
		{"moby", "strace", "strace dockerd --config-file=x", false},
		{"moby", "strace", "dockerd --config-file=x", false},
		{"moby", "strace", "strace dockerd-rootless.sh --config-file=x", false},
		{"moby", "vim", "vim --config-file=x", false},
		{"moby", "containerd", "containerd --config-file=x", false},
		{"moby", "", "", false},
		{"containerd", "containerd", "containerd --config=x", true},
		{"containerd", "containerd-shim-runc-v2", "containerd-shim-runc-v2 --config=x", false},
		{"containerd", "rootlesskit", "rootlesskit containerd --config=x", false},
	} {
		k := kind{engine: test.engine, program: map[appv1.EngineName]string{"moby": "dockerd", "containerd": "containerd"}[test.engine]}
		if got := isEngineProgram(k, test.program, strings.Fields(test.args)); got != test.want {
			t.Errorf("%s: isEngineProgram(%q, %q) = %v", test.engine, test.program, test.args, got)
		}
	}
}

func TestIsEngineHelper(t *testing.T) {
	k := kind{execDir: "/run/x/engine/docker", dataDir: "/home/me/engine/docker", socket: "/run/x/docker.sock"}
	tests := []struct {
		program string
		args    []string
		want    bool
	}{
		{"containerd-shim-runc-v2", []string{"/usr/bin/containerd-shim-runc-v2", "-namespace", "moby", "-address", "/run/x/engine/docker/containerd/containerd.sock"}, true},
		{"containerd", []string{"containerd", "--config", "/run/x/engine/docker/containerd/containerd.toml"}, true},
		{"containerd", []string{"containerd", "--config=/run/x/engine/docker/containerd/containerd.toml"}, true},
		{"containerd-shim-runc-v2", []string{"containerd-shim-runc-v2", "-address", "/run/x/engine/docker2/containerd.sock"}, false},
		{"containerd-shim-runc-v2", []string{"containerd-shim-runc-v2", "-address", "/run/containerd/containerd.sock"}, false},
		{"tail", []string{"containerd", "-f", "/run/x/engine/docker/log"}, false},
		{"docker", []string{"docker", "-H", "/run/x/docker.sock"}, false},
		{"containerd", nil, false},
	}
	for _, test := range tests {
		if got := isEngineHelper(k, test.program, test.args); got != test.want {
			t.Errorf("isEngineHelper(%q, %q) = %v", test.program, test.args, got)
		}
	}
}
