package machine

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

// lastEventTimeout limits the wait for QEMU's last event and its exit status after its
// end.
const lastEventTimeout = 500 * time.Millisecond

// qemuMachine is a QEMU process, which outlives this one.
type qemuMachine struct {
	process process.Process
	paths   limahost.Paths
	log     *slog.Logger
	// exited receives the exit status of a QEMU that this process started; nil for
	// an adopted one.
	exited <-chan error

	release     context.CancelFunc
	ended       chan struct{}
	changed     chan struct{}
	networkUp   chan struct{}
	networkOnce sync.Once
	slot        monitorSlot
}

var _ Machine = (*qemuMachine)(nil)

// AdoptQEMU returns the machine of a QEMU that another agent started.
func AdoptQEMU(p process.Process, paths limahost.Paths, log *slog.Logger) Machine {
	return observeQEMU(p, nil, paths, log)
}

// observeQEMU returns the machine of a QEMU. Its monitor opens in the background,
// because a QEMU that is stopped does not answer.
func observeQEMU(p process.Process, exited <-chan error, paths limahost.Paths, log *slog.Logger) *qemuMachine {
	ctx, cancel := context.WithCancel(context.Background())
	m := &qemuMachine{
		process: p, paths: paths, log: log, exited: exited, release: cancel,
		ended: make(chan struct{}), changed: make(chan struct{}, 1), networkUp: make(chan struct{}),
	}
	go m.awaitEnd(ctx)
	go m.keepMonitorOpen(ctx)
	go m.limitConsoleLog(ctx)
	return m
}

// awaitEnd closes ended when the process has ended.
func (m *qemuMachine) awaitEnd(ctx context.Context) {
	for ctx.Err() == nil {
		if err := m.process.Wait(ctx); err == nil {
			close(m.ended)
			return
		}
		if m.process.Alive() && ctx.Err() == nil {
			<-time.After(monitorRetryPause)
		}
	}
}

func (m *qemuMachine) PID() int                   { return m.process.PID }
func (m *qemuMachine) Ended() <-chan struct{}     { return m.ended }
func (m *qemuMachine) Changed() <-chan struct{}   { return m.changed }
func (m *qemuMachine) NetworkUp() <-chan struct{} { return m.networkUp }
func (m *qemuMachine) Release()                   { m.release() }

func (m *qemuMachine) Cause() string {
	if monitor := m.slot.get(); monitor != nil {
		select {
		case <-monitor.Closed():
		case <-time.After(lastEventTimeout):
		}
	}
	exitStatus := ""
	if m.exited != nil {
		select {
		case err := <-m.exited:
			if err != nil {
				exitStatus = err.Error()
			}
		case <-time.After(lastEventTimeout):
		}
	}
	return exitCause(m.slot.shutdownReason(), exitStatus, m.process.PID, m.paths)
}

func (m *qemuMachine) Stop(ctx context.Context, grace time.Duration) (note string, err error) {
	// A QEMU that was stopped with SIGSTOP does not answer.
	if err := m.process.Signal(syscall.SIGCONT); err != nil {
		return "", fmt.Errorf("stop QEMU, pid %d: %w", m.process.PID, err)
	}
	monitor := m.awaitMonitor(ctx, monitorTimeout+monitorRetryPause)
	if monitor == nil {
		return qemu.Force(ctx, m.process, "QEMU's monitor does not answer")
	}
	return qemu.StopThrough(ctx, monitor, m.process, grace)
}

// kill ends QEMU at once.
func (m *qemuMachine) kill(ctx context.Context, cause string) error {
	_, err := qemu.Force(ctx, m.process, cause)
	return err
}

func (m *qemuMachine) Condition(ctx context.Context) Condition {
	if qemu.Stopped(m.process) {
		return Suspended
	}
	monitor := m.slot.get()
	if monitor == nil {
		return Unresponsive
	}
	ctx, cancel := context.WithTimeout(ctx, monitorTimeout)
	defer cancel()
	state, err := monitor.State(ctx)
	switch {
	case err != nil:
		return Unresponsive
	case state == qemu.StateRunning:
		return Running
	case state == qemu.StateIOError:
		return OutOfSpace
	default:
		return Paused
	}
}

func (m *qemuMachine) Resume(ctx context.Context) error {
	monitor := m.slot.get()
	if monitor == nil {
		return fmt.Errorf("resume QEMU, pid %d: %w", m.process.PID, qemu.ErrClosed)
	}
	ctx, cancel := context.WithTimeout(ctx, monitorTimeout)
	defer cancel()
	return monitor.Continue(ctx)
}
