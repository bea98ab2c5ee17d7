package native

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/process"
)

// unprivileged is the ID of a user without rights.
const unprivileged = 65534

// impostor is a process with the name and arguments of an engine's process.
type impostor struct {
	// program is the name of the executable.
	program string
	args    []string
	// attr makes it different from a real one; it is nil for a real one.
	attr *syscall.SysProcAttr
}

// start runs a copy of the test binary with the program's name.
func (i impostor) start(t *testing.T) process.Process {
	t.Helper()
	dir := t.TempDir()
	copyMe(t, filepath.Join(dir, i.program))
	for path := dir; path != os.TempDir() && path != "/"; path = filepath.Dir(path) {
		if err := os.Chmod(path, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(filepath.Join(dir, i.program))
	cmd.Args, cmd.SysProcAttr = i.args, i.attr
	if i.attr != nil && i.attr.Chroot != "" {
		i.attr.Chroot, cmd.Path, cmd.Dir = dir, "/"+i.program, "/"
	}
	cmd.Env = []string{inContainerEnv + "=0s"}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	if _, err := out.Read(make([]byte, 1)); err != nil {
		t.Fatalf("the impostor does not run: %v", err)
	}
	p, ok := process.Find(cmd.Process.Pid)
	if !ok {
		t.Fatal("a running process is not found")
	}
	return p
}

func copyMe(t *testing.T, path string) {
	t.Helper()
	me, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, me, 0o755); err != nil {
		t.Fatal(err)
	}
}

// F1: a process of another user, and root's process in a container, have the name
// and the arguments of an engine's process. Both are ignored. The same process of
// this user, outside of a container, is found.
func TestFindEngineIgnoresImpostor(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("starts processes of another user, which needs root")
	}
	image(t) // skips when the test binary is not static, which a chroot requires
	dir := t.TempDir()
	k := kind{engine: "moby", program: "dockerd", execDir: filepath.Join(dir, "exec"), configFile: filepath.Join(dir, "docker.json")}
	shim := []string{"containerd-shim-runc-v2", "-namespace", "../../../tmp/x", "-id", "y", k.execDir + "/z"}
	for name, attr := range map[string]*syscall.SysProcAttr{
		"another user": {Credential: &syscall.Credential{Uid: unprivileged, Gid: unprivileged}},
		"a container":  {Chroot: "/"},
		"this user":    nil,
	} {
		t.Run(name, func(t *testing.T) {
			want := attr == nil
			p := impostor{program: shim[0], args: shim, attr: attr}.start(t)
			if got := slices.ContainsFunc(leftovers(k), func(l process.Process) bool { return l.PID == p.PID }); got != want {
				t.Errorf("a shim: found %v, want %v", got, want)
			}
			p = impostor{program: "dockerd", args: []string{"dockerd", k.configArg()}, attr: attr}.start(t)
			recorded := state{Engine: k.engine, PID: p.PID, StartTime: p.Start, BootID: process.BootID()}
			for _, s := range []state{{}, recorded} {
				if found, ok := findEngine(k, s); ok != want || ok && found.PID != p.PID {
					t.Errorf("an engine: found %v, want %v", ok, want)
				}
			}
		})
	}
}

// F1: containers ignores names that are not one element of a path, and records that
// another user could have written.
func TestContainersIgnoresForeignRecords(t *testing.T) {
	dir := t.TempDir()
	k := kind{engine: "moby", execDir: filepath.Join(dir, "exec")}
	record := func(path string) {
		t.Helper()
		if err := os.MkdirAll(path, 0o711); err != nil {
			t.Fatal(err)
		}
		data, err := json.Marshal(map[string]any{"init_process_pid": 1, "init_process_start": 2})
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(path, "state.json"), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	runtime := filepath.Join(k.execDir, "runtime-runc")
	record(filepath.Join(runtime, "moby", "c1"))
	record(filepath.Join(runtime, "moby", "--root=x"))
	record(filepath.Join(runtime, "moby", ".."+"c2"))
	record(filepath.Join(runtime, "a b", "c3"))
	record(filepath.Join(dir, "outside", "c4"))
	writable := filepath.Join(runtime, "moby", "c5")
	record(writable)
	if err := os.Chmod(writable, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(runtime, "moby", "c6"), 0o700); err != nil {
		t.Fatal(err)
	}
	for link, target := range map[string]string{"moby/c7": "../../../outside/c4", "out": "../../outside", "moby/c8": "c1"} {
		if err := os.Symlink(target, filepath.Join(runtime, link)); err != nil {
			t.Fatal(err)
		}
	}
	if os.Geteuid() == 0 {
		foreign := filepath.Join(runtime, "moby", "c9")
		record(foreign)
		if err := os.Chown(foreign, unprivileged, unprivileged); err != nil {
			t.Fatal(err)
		}
	}
	want := []container{{root: filepath.Join(runtime, "moby"), id: "c1", init: process.Process{PID: 1, Start: 2}}}
	if got := containers(k); !slices.Equal(got, want) {
		t.Errorf("containers = %+v, want %+v", got, want)
	}
	if left := recordedInits(k); len(left) > 0 {
		t.Errorf("running containers = %+v, want none", left)
	}
}

// F1: all containerds of the machine keep their records in one directory.
// readRecord ignores those of another containerd.
func TestReadRecordIgnoresOtherContainerd(t *testing.T) {
	base, bundle := t.TempDir(), t.TempDir()
	if err := os.MkdirAll(filepath.Join(base, "default", "c1"), 0o711); err != nil {
		t.Fatal(err)
	}
	for label, want := range map[string]bool{"bundle=" + bundle: true, "bundle=" + t.TempDir(): false, "bundle=": false, bundle: false} {
		data := fmt.Sprintf(`{"init_process_pid":7,"init_process_start":9,"config":{"labels":[%q]}}`, label)
		if err := os.WriteFile(filepath.Join(base, "default", "c1", "state.json"), []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
		if init, ok := readRecord(base, "default/c1", bundle); ok != want || ok && init.PID != 7 {
			t.Errorf("label %q: %+v, %v", label, init, ok)
		}
	}
}

func TestIsName(t *testing.T) {
	for text, want := range map[string]bool{
		"moby": true, "plugins.moby": true, "k8s.io": true, "a_b-c.d": true, strings.Repeat("a", 64): true,
		"": false, ".": false, "..": false, "../x": false, "a/b": false, "-x": false, "--root": false, "a\n": false, "a..": false, "ä": false,
	} {
		if got := isName(text); got != want {
			t.Errorf("isName(%q) = %v", text, got)
		}
	}
}
