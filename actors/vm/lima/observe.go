package lima

import (
	"context"
	"fmt"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/actors/vm"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/qemu"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/process"
)

// observation has the running processes of a VM.
type observation struct {
	// agent and machine are zero if there is no such process.
	agent, machine process.Process
	// spec is the spec of these processes, as far as it is known.
	spec limahost.Spec
}

func (s observation) isEmpty() bool { return s.agent.PID == 0 && s.machine.PID == 0 }

// observe finds the running agent and machine.
func (d *Driver) observe() (observation, error) {
	agent, err := d.agent()
	if err != nil {
		return observation{}, err
	}
	machine, _ := qemu.Find(d.paths)
	s := observation{agent: agent, machine: machine}
	switch {
	case s.machine.PID != 0:
		// The spec of an adopted machine may differ from that of its agent.
		if found, err := limahost.Load(d.paths.Current(), &s.spec); err != nil || !found {
			s.spec = d.configured()
		}
	case s.agent.PID != 0:
		s.spec = d.configured()
	}
	return s, nil
}

// agent returns the running host agent, which holds the lock on its pid file.
func (d *Driver) agent() (process.Process, error) {
	for until := time.Now().Add(time.Second); ; {
		pid, running, err := limahost.Alive(d.paths)
		if err != nil {
			return process.Process{}, err
		}
		if !running {
			return process.Process{}, nil
		}
		if p, ok := process.Find(pid); ok && p.Mine() {
			return p, nil
		}
		// An agent with its lock is about to write its pid, or to exit.
		if time.Now().After(until) {
			return process.Process{}, fmt.Errorf("find the host agent: another process than pid %[2]d, which %[1]s names, holds that file: see 'fuser %[1]s'", d.paths.PidFile(), pid)
		}
		<-time.After(lockPoll)
	}
}

// configured returns the spec of the last agent. It is empty if it cannot be read.
func (d *Driver) configured() limahost.Spec {
	var c limahost.Config
	if _, err := limahost.Load(d.paths.Config(), &c); err != nil {
		d.log.Warn("cannot read the host agent's configuration", "error", err)
	}
	return c.Spec
}

// Inspect implements vm.Driver.
func (d *Driver) Inspect(ctx context.Context) (vm.Observed, error) {
	s, err := d.observe()
	if err != nil || s.isEmpty() {
		return vm.Observed{Presence: vm.Absent, Used: limahost.LastUsed(d.paths)}, err
	}
	seen := vm.Observed{Presence: vm.Broken, Used: limahost.LastUsed(d.paths), Spec: vmSpec(s.spec)}
	switch {
	case s.agent.PID == 0:
		seen.Detail = fmt.Sprintf("QEMU, pid %d, without a host agent", s.machine.PID)
	case s.machine.PID != 0:
		seen.Presence = vm.Present
		seen.Detail = fmt.Sprintf("QEMU, pid %d, host agent, pid %d", s.machine.PID, s.agent.PID)
	default:
		seen.Presence, seen.Detail = d.inspectAgent(ctx, s.agent)
	}
	return seen, nil
}

// inspectAgent returns the state of an agent without a QEMU.
func (d *Driver) inspectAgent(ctx context.Context, agent process.Process) (vm.Presence, string) {
	ctx, cancel := context.WithTimeout(ctx, statusTimeout)
	defer cancel()
	status, err := d.client.Status(ctx, 0)
	switch {
	case err != nil:
		return vm.Broken, fmt.Sprintf("host agent, pid %d, which does not answer, without a machine", agent.PID)
	case inProcess(status):
		return vm.Present, fmt.Sprintf("host agent, pid %d, with the machine inside", agent.PID)
	case status.Phase != limahost.PhaseReady:
		return vm.Present, fmt.Sprintf("host agent, pid %d, which starts a machine (%s)", agent.PID, status.Phase)
	default:
		return vm.Broken, fmt.Sprintf("host agent, pid %d, whose machine has ended", agent.PID)
	}
}

// inProcess reports whether the machine runs in the agent's process, as with Apple's
// Virtualization framework.
func inProcess(s limahost.Status) bool { return s.Acceleration == "vz" }
