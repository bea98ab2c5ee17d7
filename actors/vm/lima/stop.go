package lima

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/actors/vm"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/qemu"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/process"
)

// Repair implements vm.Driver.
func (d *Driver) Repair(context.Context) error {
	return vm.Permanent(errors.New("rdd cannot repair the engine's socket in a VM: run 'rdd stop' and 'rdd start'"))
}

// StopWithin implements vm.Driver.
func (d *Driver) StopWithin() time.Duration { return d.limits.stop + qemu.ForceTimeout }

// Stop implements vm.Driver.
func (d *Driver) Stop(ctx context.Context, _ func(string)) (string, error) {
	until := time.Now().Add(d.limits.stop)
	var notes []string
	// A killed agent may have started a machine just before.
	for {
		s, err := d.observe()
		if err != nil {
			return "", err
		}
		if s.isEmpty() {
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
	return strings.Join(notes, "; "), d.removeStale(ctx)
}

// stopOne stops the agent with its machine, or a machine without an agent.
func (d *Driver) stopOne(ctx context.Context, s observation, until time.Time) (note string, err error) {
	if s.agent.PID != 0 {
		return d.stopAgent(ctx, s.agent)
	}
	return qemu.Stop(ctx, d.paths, min(d.limits.machineStop, time.Until(until)))
}

// stopAgent makes the agent power down the guest and exit.
func (d *Driver) stopAgent(ctx context.Context, agent process.Process) (note string, err error) {
	// A stopped process receives SIGTERM only when it continues.
	if err := errors.Join(agent.Signal(syscall.SIGTERM), agent.Signal(syscall.SIGCONT)); err != nil {
		return "", err
	}
	if agent.WaitFor(ctx, d.limits.agentStop) == nil {
		exit, found := d.exitStatus(agent.PID)
		switch {
		case !found:
			return fmt.Sprintf("the host agent (pid %d) exited without an exit status", agent.PID), nil
		case exit.Error != "":
			return exit.Error, nil
		default:
			return exit.Note, nil
		}
	}
	if ctx.Err() != nil {
		return "", fmt.Errorf("wait for the host agent (pid %d): %w", agent.PID, ctx.Err())
	}
	d.log.Warn("killing a host agent that does not exit", "pid", agent.PID, "after", d.limits.agentStop)
	if err := d.kill(ctx, agent); err != nil {
		return "", fmt.Errorf("kill the host agent: %w", err)
	}
	return fmt.Sprintf("the host agent (pid %d) did not exit within %v and was killed", agent.PID, d.limits.agentStop), nil
}

// kill ends a process by force.
func (d *Driver) kill(ctx context.Context, p process.Process) error {
	if err := p.Signal(syscall.SIGKILL); err != nil {
		return err
	}
	if err := p.WaitFor(ctx, d.limits.killed); err != nil {
		return fmt.Errorf("pid %d survived SIGKILL, and may hang in the kernel: %w: see the output of 'dmesg'", p.PID, err)
	}
	return nil
}
