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

// sight is what lives of a VM.
type sight struct {
	// agent and machine are zero when there is none.
	agent, machine process.Process
	// spec that they are of, as far as it is known.
	spec limahost.Spec
}

func (s sight) nothing() bool { return s.agent.PID == 0 && s.machine.PID == 0 }

// look finds what lives.
func (d *Driver) look() (sight, error) {
	agent, err := d.agent()
	if err != nil {
		return sight{}, err
	}
	machine, _ := qemu.Find(d.paths)
	s := sight{agent: agent, machine: machine}
	switch {
	case s.machine.PID != 0:
		// The machine's own comes first: it is what an adopted machine is of.
		if found, err := limahost.Load(d.paths.Current(), &s.spec); err != nil || !found {
			s.spec = d.configured()
		}
	case s.agent.PID != 0:
		s.spec = d.configured()
	}
	return s, nil
}

// agent returns the living host agent, which holds the lock on its pid file.
func (d *Driver) agent() (process.Process, error) {
	for until := time.Now().Add(time.Second); ; {
		pid, running, err := limahost.Alive(d.paths)
		if err != nil {
			return process.Process{}, err
		}
		if !running {
			return process.Process{}, nil
		}
		if p, ok := process.Find(pid); ok {
			return p, nil
		}
		// It has its lock and is about to write its pid, or is just ending.
		if time.Now().After(until) {
			return process.Process{}, fmt.Errorf("something holds %s, and it is not process %d that is named in it; see 'fuser %[1]s'", d.paths.PidFile(), pid)
		}
		<-time.After(lookAgain)
	}
}

// configured is what the last agent was told; nothing when that cannot be read.
func (d *Driver) configured() limahost.Spec {
	var c limahost.Config
	if _, err := limahost.Load(d.paths.Config(), &c); err != nil {
		d.log.Warn("cannot read what the host agent was told", "error", err)
	}
	return c.Spec
}

// Inspect implements vm.Driver.
func (d *Driver) Inspect(ctx context.Context) (vm.Observed, error) {
	s, err := d.look()
	if err != nil || s.nothing() {
		return vm.Observed{Presence: vm.Absent, Used: limahost.LastUsed(d.paths)}, err
	}
	seen := vm.Observed{Presence: vm.Broken, Used: limahost.LastUsed(d.paths), Spec: vmSpec(s.spec)}
	switch {
	case s.agent.PID == 0:
		seen.Detail = fmt.Sprintf("QEMU, pid %d, with no host agent", s.machine.PID)
	case s.machine.PID != 0:
		seen.Presence = vm.Present
		seen.Detail = fmt.Sprintf("QEMU, pid %d, host agent, pid %d", s.machine.PID, s.agent.PID)
	default:
		seen.Presence, seen.Detail = d.inspectAgent(ctx, s.agent)
	}
	return seen, nil
}

// inspectAgent tells what an agent without a QEMU is at.
func (d *Driver) inspectAgent(ctx context.Context, agent process.Process) (vm.Presence, string) {
	ctx, cancel := context.WithTimeout(ctx, statusDeadline)
	defer cancel()
	status, err := d.client.Status(ctx, 0)
	switch {
	case err != nil:
		return vm.Broken, fmt.Sprintf("host agent, pid %d, which does not answer, with no machine", agent.PID)
	case inProcess(status):
		return vm.Present, fmt.Sprintf("host agent, pid %d, with the machine inside", agent.PID)
	case status.Phase != limahost.PhaseReady:
		return vm.Present, fmt.Sprintf("host agent, pid %d, which starts a machine (%s)", agent.PID, status.Phase)
	default:
		return vm.Broken, fmt.Sprintf("host agent, pid %d, whose machine is gone", agent.PID)
	}
}

// inProcess is whether the machine lives in the agent's process, as with Apple's
// Virtualization framework.
func inProcess(s limahost.Status) bool { return s.Acceleration == "vz" }
