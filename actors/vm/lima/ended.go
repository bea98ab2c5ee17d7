package lima

import (
	"errors"
	"fmt"
	"strings"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/qemu"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/logtail"
)

// ended says how the host agent with this pid ended, which it has.
func (d *Driver) ended(pid int) error {
	end, told := d.end(pid)
	switch {
	case told && end.Error != "":
		return errors.New(end.Error)
	case told:
		return errors.New("the VM was stopped by somebody else than this daemon")
	}
	if machine, ok := qemu.Find(d.paths); ok {
		return fmt.Errorf("the host agent (pid %d) was killed or crashed; the VM goes on (QEMU, pid %d), and another agent takes it over", pid, machine.PID)
	}
	return fmt.Errorf("the host agent (pid %d) was killed or crashed, and the VM is gone%s", pid, d.logHint())
}

// end returns what the agent with this pid told when it ended; one that was
// killed told nothing.
func (d *Driver) end(pid int) (end limahost.ExitStatus, told bool) {
	end, found, err := limahost.LastExit(d.paths)
	if err != nil {
		d.log.Warn("cannot read how the host agent ended", "error", err)
	}
	return end, found && err == nil && end.PID == pid
}

// How much of the log ends an error: the last hintLines lines, of at most
// hintWindow bytes.
const (
	hintLines  = 8
	hintWindow = 16 << 10
)

// logHint ends an error with the last lines of the agent's log.
func (d *Driver) logHint() string {
	path := d.paths.AgentLog()
	text, err := logtail.End(path, hintWindow)
	said := strings.TrimSpace(string(text))
	if err != nil || said == "" {
		return "; its log " + path + " tells nothing"
	}
	lines := strings.Split(said, "\n")
	return "\nlast lines of " + path + ":\n" + strings.Join(lines[max(0, len(lines)-hintLines):], "\n")
}
