package native

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// sleeper starts a process that sleeps, with the given arguments besides.
func sleeper(t *testing.T, args ...string) (*exec.Cmd, process) {
	t.Helper()
	cmd := exec.Command("/proc/self/exe", args...)
	cmd.Env = []string{inContainerEnv + "=1"}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	p, ok := inspectProcess(cmd.Process.Pid)
	if !ok {
		t.Fatal("a living process is not found")
	}
	return cmd, p
}

func TestZombieIsNotAlive(t *testing.T) {
	cmd, p := sleeper(t)
	if !p.alive() {
		t.Error("a living process is not alive")
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	// It is not waited for before the test ends, so it becomes a zombie.
	if err := waitGone(t.Context(), p, 10*time.Second); err != nil {
		t.Fatal(err)
	}
	if p.alive() {
		t.Error("a zombie is alive")
	}
	if err := p.signal(syscall.SIGTERM); err != nil {
		t.Errorf("a signal to what is gone: %v", err)
	}
}

func TestRecycledPIDIsAnotherProcess(t *testing.T) {
	_, p := sleeper(t)
	p.startTime++
	if p.alive() {
		t.Error("a process with another start time is taken for this one")
	}
	if err := p.signal(syscall.SIGKILL); err != nil {
		t.Error(err)
	}
	if now, ok := inspectProcess(p.pid); !ok {
		t.Errorf("the wrong process %d was killed", now.pid)
	}
	if err := p.wait(t.Context()); err != nil {
		t.Errorf("wait for what is gone: %v", err)
	}
}

func TestWaitEndsWithItsContext(t *testing.T) {
	_, p := sleeper(t)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := p.wait(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("wait = %v", err)
	}
}

func TestFindEngineNeedsTheExactArgument(t *testing.T) {
	dir := t.TempDir()
	k := kind{engine: "moby", program: "dockerd", configFile: filepath.Join(dir, "docker.json")}
	_, p := sleeper(t, "--config-file="+k.configFile+".other")
	recorded := state{Engine: "moby", PID: p.pid, StartTime: p.startTime, BootID: bootID()}
	if found, ok := findEngine(k, recorded); ok {
		t.Errorf("found %d, which has another configuration", found.pid)
	}
	_, mine := sleeper(t, k.configArg())
	for name, s := range map[string]state{
		"recorded":            {Engine: "moby", PID: mine.pid, StartTime: mine.startTime, BootID: bootID()},
		"not recorded":        {},
		"recorded wrongly":    recorded,
		"of another boot":     {Engine: "moby", PID: mine.pid, StartTime: mine.startTime, BootID: "another"},
		"of a process before": {Engine: "moby", PID: mine.pid, StartTime: 1, BootID: bootID()},
	} {
		if found, ok := findEngine(k, s); !ok || found.pid != mine.pid {
			t.Errorf("%s: found %+v, %v; want %+v", name, found, ok, mine)
		}
	}
}

func TestBelongs(t *testing.T) {
	k := kind{execDir: "/run/x/engine/docker", dataDir: "/home/me/engine/docker", socket: "/run/x/docker.sock"}
	tests := []struct {
		args []string
		want bool
	}{
		{[]string{"/usr/bin/containerd-shim-runc-v2", "-namespace", "moby", "-address", "/run/x/engine/docker/containerd/containerd.sock"}, true},
		{[]string{"containerd", "--config", "/run/x/engine/docker/containerd/containerd.toml"}, true},
		{[]string{"containerd", "--config=/run/x/engine/docker/containerd/containerd.toml"}, true},
		{[]string{"containerd-shim-runc-v2", "-address", "/run/x/engine/docker2/containerd.sock"}, false},
		{[]string{"containerd-shim-runc-v2", "-address", "/run/containerd/containerd.sock"}, false},
		{[]string{"tail", "-f", "/run/x/engine/docker/log"}, false},
		{[]string{"docker", "-H", "/run/x/docker.sock"}, false},
		{nil, false},
	}
	for _, test := range tests {
		if got := belongs(k, test.args); got != test.want {
			t.Errorf("belongs(%q) = %v", test.args, got)
		}
	}
}

func TestRemoveTreeNeverCrossesAMount(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("mounts something, which needs root")
	}
	dir := t.TempDir()
	point := filepath.Join(dir, "a mount")
	if err := os.Mkdir(point, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("none", point, "tmpfs", 0, ""); err != nil {
		t.Skipf("cannot mount here: %v", err)
	}
	precious := filepath.Join(point, "precious")
	if err := os.WriteFile(precious, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := removeTree(dir); err == nil {
		t.Error("a tree with a mount was removed")
	}
	if _, err := os.Stat(precious); err != nil {
		t.Error(err)
	}
	if err := unmountBelow(dir); err != nil {
		t.Error(err)
	}
	if err := removeTree(dir); err != nil {
		t.Error(err)
	}
}
