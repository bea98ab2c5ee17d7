package machine

import (
	"fmt"
	"strings"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/agent/console"
)

// quotedLines is the number of lines that errors quote from the log of QEMU or virtiofsd.
const quotedLines = 15

// exitCause describes why QEMU ended without a request of rdd. shutdown is the reason in
// QEMU's last event, and exitStatus that of its process; either may be empty.
func exitCause(shutdown, exitStatus string, pid int, p limahost.Paths) string {
	var cause string
	switch shutdown {
	case "guest-reset":
		if line := console.Panic(p.Console()); line != "" {
			cause = "the guest's kernel panicked: " + line
		} else {
			cause = "the guest rebooted"
		}
	case "guest-panic":
		cause = "the guest's kernel panicked: " + console.Panic(p.Console())
	case "guest-shutdown":
		cause = "the guest powered itself off"
	case "host-signal":
		cause = fmt.Sprintf("QEMU, pid %d, was ended by a signal", pid)
	case "host-qmp-quit":
		cause = fmt.Sprintf("QEMU, pid %d, was ended by a command on its monitor", pid)
	default:
		cause = fmt.Sprintf("QEMU, pid %d, was killed or crashed", pid)
		if exitStatus != "" {
			cause += " (" + exitStatus + ")"
		}
	}
	if printed := console.Tail(p.QEMULog(), 1); len(printed) > 0 && !strings.HasPrefix(shutdown, "guest-") {
		cause += "; QEMU printed: " + printed[0]
	}
	return cause + console.Quote(p.Console())
}
