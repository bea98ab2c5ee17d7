package qemu

import (
	"context"
	"fmt"
	"syscall"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/process"
)

const (
	// askWithin bounds one command: QEMU answers in milliseconds, or not at all.
	askWithin = 2 * time.Second
	// pressAgain is when the power button is pressed once more: a guest that is
	// just booting does not see it the first time.
	pressAgain = 3 * time.Second
	// quitWithin is what QEMU gets to write what it still holds of the disk.
	quitWithin = 3 * time.Second
	// killedWithin bounds the wait for a killed process to go.
	killedWithin = 2 * time.Second
	// ForceWithin is the longest that Force takes.
	ForceWithin = quitWithin + killedWithin
)

// Stop ends the VM's QEMU: by the guest's own shutdown, if that ends within
// grace, and by force otherwise, which takes up to ForceWithin and which note then
// tells. No QEMU is no error. It
// needs the monitor for itself, so no host agent may live.
func Stop(ctx context.Context, p limahost.Paths, grace time.Duration) (note string, err error) {
	machine, ok := Find(p)
	if !ok {
		return "", nil
	}
	asked := time.Now()
	open, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	// One that was stopped with SIGSTOP answers nobody.
	if err := machine.Signal(syscall.SIGCONT); err != nil {
		return "", fmt.Errorf("stop QEMU: %w", err)
	}
	m, err := Open(open, p.QMP(), nil)
	if err != nil {
		return Force(ctx, machine, err.Error())
	}
	defer m.Close()
	return StopThrough(ctx, m, machine, grace-time.Since(asked))
}

// StopThrough is Stop for who has the monitor.
func StopThrough(ctx context.Context, m *Monitor, machine process.Process, grace time.Duration) (note string, err error) {
	if err := machine.Signal(syscall.SIGCONT); err != nil {
		return "", fmt.Errorf("stop QEMU: %w", err)
	}
	bounded, cancel := context.WithTimeout(ctx, grace)
	defer cancel()
	for bounded.Err() == nil {
		if err := press(bounded, m); err != nil && machine.Alive() && bounded.Err() == nil {
			return Force(ctx, machine, err.Error())
		}
		if machine.WaitFor(bounded, pressAgain) == nil {
			return "", nil
		}
		if ctx.Err() != nil {
			return "", fmt.Errorf("stop QEMU, pid %d: %w", machine.PID, ctx.Err())
		}
	}
	return Force(ctx, machine, fmt.Sprintf("the guest did not shut down within %v", grace))
}

// press presses the power button, of a machine that is paused too.
func press(ctx context.Context, m *Monitor) error {
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	state, err := m.State(ctx)
	if err != nil {
		return err
	}
	if state == StatePaused || state == StateIOError {
		if err := m.Continue(ctx); err != nil {
			return err
		}
	}
	return m.PowerDown(ctx)
}

// Force ends a QEMU whatever its guest does, and says so in note: first by a
// signal that lets QEMU write what it holds of the disk, then by one that does not.
func Force(ctx context.Context, machine process.Process, why string) (note string, err error) {
	note = fmt.Sprintf("the VM was ended by force, as by pulling its plug: %s", why)
	for _, step := range []struct {
		signal syscall.Signal
		within time.Duration
	}{{syscall.SIGTERM, quitWithin}, {syscall.SIGKILL, killedWithin}} {
		if err := machine.Signal(step.signal); err != nil {
			return "", fmt.Errorf("end QEMU: %w", err)
		}
		// A stopped process does not see SIGTERM before it is continued.
		if err := machine.Signal(syscall.SIGCONT); err != nil {
			return "", fmt.Errorf("end QEMU: %w", err)
		}
		if machine.WaitFor(ctx, step.within) == nil {
			return note, nil
		}
		if ctx.Err() != nil {
			return "", fmt.Errorf("end QEMU, pid %d: %w", machine.PID, ctx.Err())
		}
	}
	return "", fmt.Errorf("QEMU, pid %d, survives even SIGKILL; it may hang in the kernel, see 'dmesg'", machine.PID)
}
