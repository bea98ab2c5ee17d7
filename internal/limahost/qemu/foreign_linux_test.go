package qemu

import (
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
func TestF1ImpostorIsNoMachine(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("starts a process of another user, which needs root")
	}
	const nobody = 65534
	p := limahost.Paths{LimaHome: t.TempDir()}
	cmd := exec.Command("/bin/sh", "-c", "while :; do read -r _ || exit 0; done", "qemu", "-pidfile", p.MachinePidFile())
	cmd.Dir, cmd.SysProcAttr = "/", &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
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
		t.Errorf("process %d of another user is taken for the machine", found.PID)
	}
}
