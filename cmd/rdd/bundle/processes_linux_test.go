package bundle

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

func TestOwnProcessIsKnownByItsExecutable(t *testing.T) {
	shell, err := os.ReadFile("/bin/sh")
	if err != nil {
		t.Fatal(err)
	}
	ssh := filepath.Join(t.TempDir(), "ssh")
	if err := os.WriteFile(ssh, shell, 0o700); err != nil { //nolint:gosec // it is a program
		t.Fatal(err)
	}
	container := &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER | syscall.CLONE_NEWPID}
	for name, test := range map[string]struct {
		path string
		attr *syscall.SysProcAttr
		want bool
	}{
		"a program of rdd":        {ssh, nil, true},
		"its name on another one": {"/bin/sh", nil, false},
		"the same in a container": {ssh, container, false},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), test.path, "-c", "read line")
			cmd.Args[0], cmd.SysProcAttr = "ssh", test.attr
			in, err := cmd.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				if test.attr != nil {
					t.Skipf("no namespaces here: %v", err)
				}
				t.Fatal(err)
			}
			if got := ownProcess(cmd.Process.Pid, cmd.Args); got != test.want {
				t.Errorf("it is rdd's own: %t", got)
			}
			_ = in.Close()
			_ = cmd.Wait() // at the end of its input it fails
		})
	}
}
