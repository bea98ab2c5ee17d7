package lima

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
)

// The lock is held, and the pid file names a process of another user: the file is that of
// a killed agent, whose pid was recycled before the next agent wrote its own.
func TestAgentIgnoresOtherUsersProcess(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("starts a process of another user, which needs root")
	}
	const unprivileged = 65534
	b := newBench(t, behaves)
	if err := os.MkdirAll(b.cfg.Home, 0o700); err != nil {
		t.Fatal(err)
	}
	lock, err := instance.Lock(b.paths.PidFile())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = lock.Release() })
	cmd := exec.Command("/bin/sleep", "60")
	cmd.Dir, cmd.SysProcAttr = "/", &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: unprivileged, Gid: unprivileged}}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	if err := os.WriteFile(b.paths.PidFile(), fmt.Appendf(nil, "%d\n", cmd.Process.Pid), 0o600); err != nil {
		t.Fatal(err)
	}
	if p, err := b.agent(); err == nil {
		t.Errorf("process %d of another user counts as the host agent", p.PID)
	}
}
