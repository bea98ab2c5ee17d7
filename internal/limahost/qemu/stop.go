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
	// commandTimeout limits one command: QEMU answers in milliseconds, or never.
	commandTimeout = 2 * time.Second
	// pressInterval is the time until the power button is pressed again, because a
	// guest that is booting ignores it.
	pressInterval = 3 * time.Second
	// quitTimeout is how long QEMU may take to write its cache to the disk.
	quitTimeout = 3 * time.Second
	// killTimeout limits the wait for the end of a killed process.
	killTimeout = 2 * time.Second
	// ForceTimeout is the longest that Force takes.
	ForceTimeout = quitTimeout + killTimeout
)

// Stop ends the VM's QEMU by the guest's own shutdown within grace, or else by force,
// which takes up to ForceTimeout and is reported in note. Without a QEMU it does nothing.
// It needs the monitor, so that no host agent may run meanwhile.
func Stop(ctx context.Context, p limahost.Paths, grace time.Duration) (note string, err error) {
	machine, ok := Find(p)
	if !ok {
		return "", nil
	}
	began := time.Now()
	open, cancel := context.WithTimeout(ctx, commandTimeout)
	defer cancel()
	// A QEMU that was stopped with SIGSTOP does not answer.
	if err := machine.Signal(syscall.SIGCONT); err != nil {
		return "", fmt.Errorf("stop QEMU, pid %d: %w", machine.PID, err)
	}
	m, err := Open(open, p.QMP(), nil)
	if err != nil {
		return Force(ctx, machine, err.Error())
	}
	defer m.Close()
	return StopThrough(ctx, m, machine, grace-time.Since(began))
}

// StopThrough is Stop for a caller that has the monitor.
func StopThrough(ctx context.Context, m *Monitor, machine process.Process, grace time.Duration) (note string, err error) {
	if err := machine.Signal(syscall.SIGCONT); err != nil {
		return "", fmt.Errorf("stop QEMU, pid %d: %w", machine.PID, err)
	}
	bounded, cancel := context.WithTimeout(ctx, grace)
	defer cancel()
	for bounded.Err() == nil {
		if err := press(bounded, m); err != nil && machine.Alive() && bounded.Err() == nil {
			return Force(ctx, machine, err.Error())
		}
		if machine.WaitFor(bounded, pressInterval) == nil {
			return "", nil
		}
		if ctx.Err() != nil {
			return "", fmt.Errorf("stop QEMU, pid %d: %w", machine.PID, ctx.Err())
		}
	}
	return Force(ctx, machine, fmt.Sprintf("the guest did not shut down within %v", grace))
}

// press presses the power button. It resumes a paused machine first.
func press(ctx context.Context, m *Monitor) error {
	ctx, cancel := context.WithTimeout(ctx, commandTimeout)
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

// Force ends a QEMU without a shutdown of its guest, and reports cause in note. The first
// signal lets QEMU write its cache to the disk; the second kills it.
func Force(ctx context.Context, machine process.Process, cause string) (note string, err error) {
	note = fmt.Sprintf("the VM was ended by force, as by pulling its plug: %s", cause)
	for _, step := range []struct {
		signal  syscall.Signal
		timeout time.Duration
	}{{syscall.SIGTERM, quitTimeout}, {syscall.SIGKILL, killTimeout}} {
		if err := machine.Signal(step.signal); err != nil {
			return "", fmt.Errorf("end QEMU, pid %d: %w", machine.PID, err)
		}
		// A stopped process does not handle SIGTERM before it is continued.
		if err := machine.Signal(syscall.SIGCONT); err != nil {
			return "", fmt.Errorf("end QEMU, pid %d: %w", machine.PID, err)
		}
		if machine.WaitFor(ctx, step.timeout) == nil {
			return note, nil
		}
		if ctx.Err() != nil {
			return "", fmt.Errorf("end QEMU, pid %d: %w", machine.PID, ctx.Err())
		}
	}
	return "", fmt.Errorf("end QEMU, pid %d: the process survived SIGKILL, and may hang in the kernel: see the output of 'dmesg'", machine.PID)
}
