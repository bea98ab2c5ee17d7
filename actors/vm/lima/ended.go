package lima

import (
	"errors"
	"fmt"
	"strings"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/qemu"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/logtail"
)

// ended returns why the host agent with this pid has exited.
func (d *Driver) ended(pid int) error {
	exit, found := d.exitStatus(pid)
	switch {
	case found && exit.Error != "":
		return errors.New(exit.Error)
	case found:
		return errors.New("the VM was stopped by another process")
	}
	if machine, ok := qemu.Find(d.paths); ok {
		return fmt.Errorf("the host agent (pid %d) was killed or crashed; the VM keeps running (QEMU, pid %d), and another agent takes it over", pid, machine.PID)
	}
	return fmt.Errorf("the host agent (pid %d) was killed or crashed, and the VM is gone%s", pid, d.logHint())
}

// exitStatus returns the exit status of the agent with this pid. A killed agent has none.
func (d *Driver) exitStatus(pid int) (exit limahost.ExitStatus, found bool) {
	exit, found, err := limahost.LastExit(d.paths)
	if err != nil {
		d.log.Warn("cannot read the exit status of the host agent", "error", err)
	}
	return exit, found && err == nil && exit.PID == pid
}

// Errors quote at most hintLines lines from the last hintWindow bytes of the log.
const (
	hintLines  = 8
	hintWindow = 16 << 10
)

// logHint returns the last lines of the agent's log, as the end of an error.
func (d *Driver) logHint() string {
	path := d.paths.AgentLog()
	text, err := logtail.End(path, hintWindow)
	content := strings.TrimSpace(string(text))
	if err != nil || content == "" {
		return "; the log " + path + " is empty"
	}
	lines := strings.Split(content, "\n")
	return "\nlast lines of " + path + ":\n" + strings.Join(lines[max(0, len(lines)-hintLines):], "\n")
}
