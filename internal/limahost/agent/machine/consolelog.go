package machine

import (
	"context"
	"strings"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/agent/console"
)

const (
	// maxConsoleLog is the size in bytes at which the log of one boot is cut to
	// keptConsoleLog, since a guest may print errors for months.
	maxConsoleLog  = 8 << 20
	keptConsoleLog = 1 << 20
	// consoleLogInterval is the time between two checks of its size.
	consoleLogInterval = 10 * time.Second
	// appendOption makes QEMU append to a log, which may then be cut.
	appendOption = ",logappend=on"
)

// appendToLogs makes QEMU append to the logs of its consoles.
func appendToLogs(args []string) {
	for i, arg := range args {
		if i > 0 && args[i-1] == "-chardev" && strings.Contains(arg, ",logfile=") {
			args[i] += appendOption
		}
	}
}

// limitConsoleLog limits the size of the console's log until ctx ends, if QEMU was
// started to append to it.
func (m *qemuMachine) limitConsoleLog(ctx context.Context) {
	if !strings.Contains(strings.Join(m.process.Args(), "\x00"), appendOption) {
		return
	}
	ticker := time.NewTicker(consoleLogInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if err := console.Limit(m.paths.Console(), maxConsoleLog, keptConsoleLog); err != nil {
				m.log.Warn("cannot shorten the log of the guest's console", "error", err)
			}
		}
	}
}
