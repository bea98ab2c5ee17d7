package agent

import (
	"context"
	"strings"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/agent/console"
)

const (
	// consoleLimit is the size in bytes at which the console's log of one boot is
	// shortened to consoleKeep: a guest may be up for months, and in trouble for
	// all of them.
	consoleLimit = 8 << 20
	consoleKeep  = 1 << 20
	// consoleEvery is how often its size is looked at.
	consoleEvery = 10 * time.Second
	// appending is what makes QEMU append to a log, so that it can be shortened.
	appending = ",logappend=on"
)

// appendToLogs makes QEMU append to the logs of its consoles.
func appendToLogs(args []string) {
	for i, arg := range args {
		if i > 0 && args[i-1] == "-chardev" && strings.Contains(arg, ",logfile=") {
			args[i] += appending
		}
	}
}

// keepConsoleShort bounds the log of the console until ctx ends, of a QEMU that
// was started so that this is possible.
func (m *qemuMachine) keepConsoleShort(ctx context.Context) {
	if !strings.Contains(strings.Join(m.process.Args(), "\x00"), appending) {
		return
	}
	ticker := time.NewTicker(consoleEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if err := console.Bound(m.paths.Console(), consoleLimit, consoleKeep); err != nil {
				m.log.Warn("the log of the guest's console grows", "error", err)
			}
		}
	}
}
