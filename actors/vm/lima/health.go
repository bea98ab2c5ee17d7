package lima

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/probe"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/process"
)

// Wait implements vm.Driver. The kernel reports the end of a process without polling.
func (d *Driver) Wait(ctx context.Context) error {
	s, err := d.observe()
	switch {
	case err != nil:
		return err
	case s.isEmpty():
		return errors.New("rdd's VM does not run")
	case s.agent.PID == 0:
		return fmt.Errorf("the VM (QEMU, pid %d) has no host agent; another one takes it over", s.machine.PID)
	}
	return d.await(ctx, s)
}

// await waits for the end of the observed processes.
func (d *Driver) await(ctx context.Context, s observation) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	agentEnded := waitFor(ctx, s.agent)
	var machineEnded <-chan error
	if s.machine.PID != 0 {
		machineEnded = waitFor(ctx, s.machine)
	}
	select {
	case err := <-agentEnded:
		if err != nil {
			return err
		}
	case err := <-machineEnded:
		if err != nil {
			return err
		}
		// The agent exits with the reason, unless it hangs.
		select {
		case err := <-agentEnded:
			if err != nil {
				return err
			}
		case <-time.After(d.limits.exit):
			return fmt.Errorf("QEMU (pid %d) has ended, and the host agent (pid %d) hangs and has not reported why: rdd replaces the agent and starts the VM again%s", s.machine.PID, s.agent.PID, d.logHint())
		}
	}
	return d.ended(s.agent.PID)
}

// waitFor returns a channel that receives when a process has ended.
func waitFor(ctx context.Context, p process.Process) <-chan error {
	ended := make(chan error, 1)
	go func() { ended <- p.Wait(ctx) }()
	return ended
}

// Ping implements vm.Driver. The engine's answer decides. The agent's status explains
// it.
func (d *Driver) Ping(ctx context.Context, endpoint string) (note string, err error) {
	healths := make(chan health, 1)
	go func() { healths <- d.health(ctx) }()
	engine := vmSpec(d.configured()).Engine
	err = d.pingEngine(ctx, engine, endpoint)
	h := <-healths
	if err == nil && engine == appv1.EngineContainerd && h.isSilent {
		// The agent accepts connections although the guest does not answer.
		err = errors.New("the guest does not answer")
	}
	switch {
	case err == nil:
		return strings.Trim(h.trouble+"\n"+h.note, "\n"), nil
	case h.trouble == "":
		return "", err
	default:
		return "", fmt.Errorf("%s: %w", h.trouble, err)
	}
}

// health is the state of a VM in its agent's status.
type health struct {
	// trouble describes a fault, note is other information for the user.
	trouble, note string
	// isSilent reports whether the guest has not answered the agent for a while.
	isSilent bool
}

func (d *Driver) health(ctx context.Context) health {
	ctx, cancel := context.WithTimeout(ctx, statusTimeout)
	defer cancel()
	status, err := d.client.Status(ctx, 0)
	if err == nil {
		return health{trouble: status.Trouble, note: status.Note, isSilent: !status.Answers}
	}
	agent, agentErr := d.agent()
	switch {
	case agentErr != nil:
		return health{trouble: agentErr.Error()}
	case agent.PID == 0:
		return health{trouble: "the VM's host agent is gone"}
	default:
		return health{trouble: fmt.Sprintf("the VM's host agent (pid %d) does not answer", agent.PID)}
	}
}

// pingEngine returns nil when the engine answers.
func (d *Driver) pingEngine(ctx context.Context, engine appv1.EngineName, endpoint string) error {
	if engine == appv1.EngineContainerd {
		socket, err := d.socket(engine)
		if err != nil {
			return err
		}
		return probe.Dial(ctx, socket)
	}
	return probe.Ping(ctx, endpoint)
}
