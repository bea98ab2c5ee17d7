package bundle

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

func TestOwnProcessChecksExecutable(t *testing.T) {
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
		"program of rdd":           {ssh, nil, true},
		"other program, same name": {"/bin/sh", nil, false},
		"program in a container":   {ssh, container, false},
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
				t.Errorf("ownProcess: %t", got)
			}
			_ = in.Close()
			_ = cmd.Wait() // it fails at the end of its input
		})
	}
}
