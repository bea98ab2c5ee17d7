package qemu

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/process"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/testkit"
)

// F1: a process of another user has the arguments of the VM's QEMU.
func TestFindIgnoresOtherUsers(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("starts a process of another user, which needs root")
	}
	const unprivileged = 65534
	p := limahost.Paths{LimaHome: t.TempDir()}
	cmd := exec.Command(fakeQEMU(t, "qemu-system-fake"), "-c", "while :; do read -r _ || exit 0; done", "qemu", "-pidfile", p.MachinePidFile())
	cmd.Dir, cmd.SysProcAttr = "/", &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: unprivileged, Gid: unprivileged}}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait()
	})
	testkit.EventuallyTrue(t, 10*time.Second, "the impostor runs", func() bool {
		impostor, ok := process.Find(cmd.Process.Pid)
		return ok && slices.Contains(impostor.Args(), p.MachinePidFile())
	})
	if found, ok := Find(p); ok {
		t.Errorf("process %d of another user counts as the machine", found.PID)
	}
}

// A process of this user has the arguments of the VM's QEMU, and is not one. No record
// of the machine is left.
func TestFindIgnoresOtherExecutables(t *testing.T) {
	p := limahost.Paths{LimaHome: t.TempDir()}
	if err := os.MkdirAll(p.Dir(), 0o700); err != nil {
		t.Fatal(err)
	}
	impostor := startWith(t, fakeQEMU(t, "impostor"), p, "echo up")
	for _, pidFile := range []string{"", fmt.Sprint(impostor.PID)} {
		if err := os.WriteFile(p.MachinePidFile(), []byte(pidFile), 0o600); err != nil {
			t.Fatal(err)
		}
		if found, ok := Find(p); ok {
			t.Errorf("pid file %q: process %d, which runs another program, counts as the machine", pidFile, found.PID)
		}
	}
}
