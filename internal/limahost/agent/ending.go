package agent

import (
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/agent/console"
)

// consoleLines is how much of the console is quoted.
const consoleLines = 15

// qemuLog is what QEMU itself said.
func qemuLog(p limahost.Paths) string { return filepath.Join(p.Dir(), "qemu.log") }

// howEnded says how a QEMU ended that nobody told to: shutdown is the reason that
// it gave itself, status how its process ended, where these are known.
func howEnded(shutdown, status string, pid int, p limahost.Paths) string {
	var what string
	switch shutdown {
	case "guest-reset":
		if line := console.Panic(p.Console()); line != "" {
			what = "the guest's kernel panicked: " + line
		} else {
			what = "the guest rebooted"
		}
	case "guest-panic":
		what = "the guest's kernel panicked: " + console.Panic(p.Console())
	case "guest-shutdown":
		what = "the guest powered itself off"
	case "host-signal":
		what = fmt.Sprintf("QEMU, pid %d, was ended by a signal", pid)
	case "host-qmp-quit":
		what = fmt.Sprintf("QEMU, pid %d, was told to quit", pid)
	default:
		what = fmt.Sprintf("QEMU, pid %d, was killed or crashed", pid)
		if status != "" {
			what += " (" + status + ")"
		}
	}
	if said := console.Tail(qemuLog(p), 1); len(said) > 0 && !strings.HasPrefix(shutdown, "guest-") {
		what += "; it said: " + said[0]
	}
	return what + quoteConsole(p)
}

// quoteConsole says what the guest said last.
func quoteConsole(p limahost.Paths) string {
	lines := console.Tail(p.Console(), consoleLines)
	if len(lines) == 0 {
		return "\nthe guest's console, " + p.Console() + ", is empty"
	}
	return "\nthe last lines of the guest's console, " + p.Console() + ":\n  " + strings.Join(lines, "\n  ")
}

// neverReady says how far a start came that took too long.
func neverReady(s limahost.Status, limit time.Duration, last error, p limahost.Paths) error {
	what := map[limahost.Phase]string{
		limahost.PhaseBoot:   "the guest did not get as far as to answer at its SSH port",
		limahost.PhaseSSH:    "no login in the guest worked",
		limahost.PhaseEngine: "the engine in the guest did not answer",
	}[s.Phase]
	if what == "" {
		what = "it did not get through the phase " + string(s.Phase)
	}
	text := fmt.Sprintf("the VM did not start within %v: %s", limit, what)
	if last != nil {
		text += "; the last attempt: " + last.Error()
	}
	return fmt.Errorf("%s%s", text, quoteConsole(p))
}
