package lima

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/qemu"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/process"
)

// Repair implements vm.Driver.
func (d *Driver) Repair(context.Context) error {
	return errors.New("'rdd stop' and 'rdd start' restart the VM with its engine")
}

// StopWithin implements vm.Driver.
func (d *Driver) StopWithin() time.Duration { return d.limits.stop + qemu.ForceTimeout }

// Stop implements vm.Driver.
func (d *Driver) Stop(ctx context.Context, _ func(string)) (string, error) {
	until := time.Now().Add(d.limits.stop)
	var notes []string
	// An agent that is killed may have started a machine just before.
	for {
		s, err := d.look()
		if err != nil {
			return "", err
		}
		if s.nothing() {
			break
		}
		note, err := d.stopOne(ctx, s, until)
		if err != nil {
			return "", fmt.Errorf("stop the VM: %w", err)
		}
		if note != "" {
			notes = append(notes, note)
		}
	}
	return strings.Join(notes, "; "), d.tidy(ctx)
}

// stopOne ends the agent, with the machine if it can, or else the machine.
func (d *Driver) stopOne(ctx context.Context, s sight, until time.Time) (note string, err error) {
	if s.agent.PID != 0 {
		return d.stopAgent(ctx, s.agent)
	}
	return qemu.Stop(ctx, d.paths, min(d.limits.machineStop, time.Until(until)))
}

// stopAgent asks the agent to power the guest down and to end.
func (d *Driver) stopAgent(ctx context.Context, agent process.Process) (note string, err error) {
	// A stopped process does not see SIGTERM before it is continued.
	if err := errors.Join(agent.Signal(syscall.SIGTERM), agent.Signal(syscall.SIGCONT)); err != nil {
		return "", err
	}
	if agent.WaitFor(ctx, d.limits.agentStop) == nil {
		end, told := d.end(agent.PID)
		switch {
		case !told:
			return fmt.Sprintf("the host agent (pid %d) ended without a word", agent.PID), nil
		case end.Error != "":
			return end.Error, nil
		default:
			return end.Note, nil
		}
	}
	if ctx.Err() != nil {
		return "", fmt.Errorf("wait for the host agent (pid %d): %w", agent.PID, ctx.Err())
	}
	d.log.Warn("the host agent did not end by itself and is killed", "pid", agent.PID, "after", d.limits.agentStop)
	if err := d.kill(ctx, agent); err != nil {
		return "", fmt.Errorf("host agent: %w", err)
	}
	return fmt.Sprintf("the host agent (pid %d) did not end within %v and was killed", agent.PID, d.limits.agentStop), nil
}

// kill ends a process by force.
func (d *Driver) kill(ctx context.Context, p process.Process) error {
	if err := p.Signal(syscall.SIGKILL); err != nil {
		return err
	}
	if err := p.WaitFor(ctx, d.limits.killed); err != nil {
		return fmt.Errorf("pid %d survives even SIGKILL; it may hang in the kernel, see 'dmesg': %w", p.PID, err)
	}
	return nil
}
