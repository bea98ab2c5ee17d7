package machine

import (
	"context"
	"sync"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/qemu"
)

const (
	// monitorTimeout limits one request to QEMU's monitor.
	monitorTimeout = 2 * time.Second
	// monitorRetryPause is the pause before a monitor that was closed is reopened.
	monitorRetryPause = time.Second
	// monitorStartTimeout limits the time from QEMU's start until its monitor
	// opens, also on a slow machine.
	monitorStartTimeout = 20 * time.Second
	// monitorPoll is the interval of checks for a monitor that is about to open.
	monitorPoll = 20 * time.Millisecond
)

// monitorSlot has the open monitor, and the reason of its last shutdown event.
type monitorSlot struct {
	mu       sync.Mutex
	monitor  *qemu.Monitor
	shutdown string
}

func (s *monitorSlot) get() *qemu.Monitor {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.monitor
}

func (s *monitorSlot) set(m *qemu.Monitor) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.monitor = m
}

func (s *monitorSlot) shutdownReason() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.shutdown
}

func (s *monitorSlot) setShutdownReason(reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shutdown = reason
}

// keepMonitorOpen holds the monitor open, for QEMU's events, until ctx ends.
func (m *qemuMachine) keepMonitorOpen(ctx context.Context) {
	// A QEMU that was just started opens its monitor soon.
	pause := monitorPoll
	for ctx.Err() == nil {
		opening, cancel := context.WithTimeout(ctx, monitorTimeout)
		monitor, err := qemu.Open(opening, m.paths.QMP(), m.handle)
		cancel()
		if err == nil {
			pause = monitorRetryPause
			m.slot.set(monitor)
			select {
			case <-monitor.Closed():
			case <-ctx.Done():
				monitor.Close()
			}
			m.slot.set(nil)
		}
		select {
		case <-ctx.Done():
		case <-m.ended:
			return
		case <-time.After(pause):
		}
	}
}

// handle handles an event of QEMU.
func (m *qemuMachine) handle(e qemu.Event) {
	m.log.Info("QEMU reports an event", "event", e.Name, "reason", e.Data.Reason, "nospace", e.Data.NoSpace)
	switch e.Name {
	case "SHUTDOWN":
		m.slot.setShutdownReason(e.Data.Reason)
	case "NIC_RX_FILTER_CHANGED":
		m.networkOnce.Do(func() { close(m.networkUp) })
		return
	}
	select {
	case m.changed <- struct{}{}:
	default:
	}
}

// awaitMonitor waits for the monitor to open, and returns it. It returns nil when the
// monitor does not open in time, or QEMU ends.
func (m *qemuMachine) awaitMonitor(ctx context.Context, timeout time.Duration) *qemu.Monitor {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	ticker := time.NewTicker(monitorPoll)
	defer ticker.Stop()
	for {
		if monitor := m.slot.get(); monitor != nil {
			return monitor
		}
		select {
		case <-ctx.Done():
			return nil
		case <-m.ended:
			return nil
		case <-ticker.C:
		}
	}
}
