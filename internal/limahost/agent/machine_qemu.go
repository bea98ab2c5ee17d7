package agent

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"syscall"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/qemu"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/process"
)

const (
	// monitorWithin bounds one question to QEMU's monitor.
	monitorWithin = 2 * time.Second
	// monitorAgain is the pause before a monitor that was lost is opened again.
	monitorAgain = time.Second
	// monitorAtFirst is what a QEMU that was just started gets to open its monitor,
	// on a machine that is short of everything.
	monitorAtFirst = 20 * time.Second
	// monitorPoll is how often a monitor that is being opened is looked for.
	monitorPoll = 20 * time.Millisecond
	// lastWords is what QEMU's last event gets to arrive after its end.
	lastWords = 500 * time.Millisecond
)

// qemuMachine is a QEMU, which outlives this process.
type qemuMachine struct {
	process process.Process
	paths   limahost.Paths
	log     *slog.Logger
	// exit gets the end of a QEMU that this process started; nil otherwise.
	exit <-chan error

	stopWatching context.CancelFunc
	gone         chan struct{}
	hints        chan struct{}
	network      chan struct{}
	networkOnce  sync.Once

	mu       sync.Mutex
	monitor  *qemu.Monitor
	shutdown string
}

var _ machine = (*qemuMachine)(nil)

// watchQEMU returns the machine of a QEMU. Its monitor is opened meanwhile, since
// one that is stopped does not answer.
func watchQEMU(p process.Process, exit <-chan error, paths limahost.Paths, log *slog.Logger) *qemuMachine {
	ctx, cancel := context.WithCancel(context.Background())
	m := &qemuMachine{
		process: p, paths: paths, log: log, exit: exit, stopWatching: cancel,
		gone: make(chan struct{}), hints: make(chan struct{}, 1), network: make(chan struct{}),
	}
	go func() {
		for ctx.Err() == nil {
			if err := p.Wait(ctx); err == nil {
				close(m.gone)
				return
			}
			if p.Alive() && ctx.Err() == nil {
				<-time.After(monitorAgain)
			}
		}
	}()
	go m.keepMonitor(ctx)
	go m.keepConsoleShort(ctx)
	return m
}

// keepMonitor holds the monitor open, for what QEMU tells unasked.
func (m *qemuMachine) keepMonitor(ctx context.Context) {
	// A QEMU that was just started opens its monitor any moment.
	again := monitorPoll
	for ctx.Err() == nil {
		opening, cancel := context.WithTimeout(ctx, monitorWithin)
		monitor, err := qemu.Open(opening, m.paths.QMP(), m.told)
		cancel()
		if err == nil {
			again = monitorAgain
			m.mu.Lock()
			m.monitor = monitor
			m.mu.Unlock()
			select {
			case <-monitor.Closed():
			case <-ctx.Done():
				monitor.Close()
			}
			m.mu.Lock()
			m.monitor = nil
			m.mu.Unlock()
		}
		select {
		case <-ctx.Done():
		case <-m.gone:
			return
		case <-time.After(again):
		}
	}
}

// told takes what QEMU tells unasked.
func (m *qemuMachine) told(e qemu.Event) {
	m.log.Info("QEMU says", "event", e.Name, "reason", e.Data.Reason, "nospace", e.Data.NoSpace)
	switch e.Name {
	case "SHUTDOWN":
		m.mu.Lock()
		m.shutdown = e.Data.Reason
		m.mu.Unlock()
	case "NIC_RX_FILTER_CHANGED":
		m.networkOnce.Do(func() { close(m.network) })
		return
	}
	select {
	case m.hints <- struct{}{}:
	default:
	}
}

func (m *qemuMachine) pid() int                   { return m.process.PID }
func (m *qemuMachine) ended() <-chan struct{}     { return m.gone }
func (m *qemuMachine) hint() <-chan struct{}      { return m.hints }
func (m *qemuMachine) networked() <-chan struct{} { return m.network }
func (m *qemuMachine) close()                     { m.stopWatching() }

func (m *qemuMachine) open() *qemu.Monitor {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.monitor
}

func (m *qemuMachine) how() string {
	m.mu.Lock()
	monitor := m.monitor
	m.mu.Unlock()
	if monitor != nil {
		select {
		case <-monitor.Closed():
		case <-time.After(lastWords):
		}
	}
	status := ""
	if m.exit != nil {
		select {
		case err := <-m.exit:
			if err != nil {
				status = err.Error()
			}
		case <-time.After(lastWords):
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return howEnded(m.shutdown, status, m.process.PID, m.paths)
}

func (m *qemuMachine) stop(ctx context.Context, grace time.Duration) (note string, err error) {
	// One that was stopped with SIGSTOP answers nobody.
	if err := m.process.Signal(syscall.SIGCONT); err != nil {
		return "", fmt.Errorf("stop QEMU: %w", err)
	}
	monitor := m.await(ctx, monitorWithin+monitorAgain)
	if monitor == nil {
		return qemu.Force(ctx, m.process, "QEMU's monitor cannot be reached")
	}
	return qemu.StopThrough(ctx, monitor, m.process, grace)
}

// await returns the monitor, which may be about to be opened; nil if it is not.
func (m *qemuMachine) await(ctx context.Context, within time.Duration) *qemu.Monitor {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	ticker := time.NewTicker(monitorPoll)
	defer ticker.Stop()
	for {
		if monitor := m.open(); monitor != nil {
			return monitor
		}
		select {
		case <-ctx.Done():
			return nil
		case <-m.gone:
			return nil
		case <-ticker.C:
		}
	}
}

func (m *qemuMachine) force(ctx context.Context, why string) error {
	_, err := qemu.Force(ctx, m.process, why)
	return err
}

func (m *qemuMachine) look(ctx context.Context) condition {
	if qemu.Stopped(m.process) {
		return suspended
	}
	monitor := m.open()
	if monitor == nil {
		return mute
	}
	ctx, cancel := context.WithTimeout(ctx, monitorWithin)
	defer cancel()
	state, err := monitor.State(ctx)
	switch {
	case err != nil:
		return mute
	case state == qemu.StateRunning:
		return running
	case state == qemu.StateIOError:
		return starved
	default:
		return paused
	}
}

func (m *qemuMachine) wake(ctx context.Context) error {
	monitor := m.open()
	if monitor == nil {
		return fmt.Errorf("let the machine go on: %w", qemu.ErrClosed)
	}
	ctx, cancel := context.WithTimeout(ctx, monitorWithin)
	defer cancel()
	return monitor.Continue(ctx)
}
