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

// Wait implements vm.Driver. The kernel tells of the end of a process; nothing
// is asked over and over.
func (d *Driver) Wait(ctx context.Context) error {
	s, err := d.look()
	switch {
	case err != nil:
		return err
	case s.nothing():
		return errors.New("no VM of rdd runs")
	case s.agent.PID == 0:
		return fmt.Errorf("the VM (QEMU, pid %d) has lost its host agent; another one takes it over", s.machine.PID)
	}
	return d.await(ctx, s)
}

// await is Wait for what was seen.
func (d *Driver) await(ctx context.Context, s sight) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	agentGone := waitFor(ctx, s.agent)
	var machineGone <-chan error
	if s.machine.PID != 0 {
		machineGone = waitFor(ctx, s.machine)
	}
	select {
	case err := <-agentGone:
		if err != nil {
			return err
		}
	case err := <-machineGone:
		if err != nil {
			return err
		}
		// The agent knows how it ended, and ends too. One that hangs does not.
		select {
		case err := <-agentGone:
			if err != nil {
				return err
			}
		case <-time.After(d.limits.lastWords):
			return fmt.Errorf("QEMU (pid %d) has ended, and the host agent (pid %d), which hangs, did not notice", s.machine.PID, s.agent.PID)
		}
	}
	return d.ended(s.agent.PID)
}

// waitFor tells of the end of a process.
func waitFor(ctx context.Context, p process.Process) <-chan error {
	gone := make(chan error, 1)
	go func() { gone <- p.Wait(ctx) }()
	return gone
}

// Ping implements vm.Driver. The engine's answer decides; what the agent knows
// explains it.
func (d *Driver) Ping(ctx context.Context, endpoint string) (note string, err error) {
	told := make(chan health, 1)
	go func() { told <- d.health(ctx) }()
	engine := vmSpec(d.configured()).Engine
	err = d.ask(ctx, engine, endpoint)
	h := <-told
	if err == nil && engine == appv1.EngineContainerd && h.silent {
		// The agent accepts connections all the same.
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

// health is what the agent says of the VM.
type health struct {
	// trouble is what is wrong, note what else a user should know; empty when
	// nothing is.
	trouble, note string
	// silent is whether the guest has not answered the agent for a while.
	silent bool
}

func (d *Driver) health(ctx context.Context) health {
	ctx, cancel := context.WithTimeout(ctx, statusDeadline)
	defer cancel()
	status, err := d.client.Status(ctx, 0)
	if err == nil {
		return health{trouble: status.Trouble, note: status.Note, silent: !status.Answers}
	}
	agent, lookErr := d.agent()
	switch {
	case lookErr != nil:
		return health{trouble: lookErr.Error()}
	case agent.PID == 0:
		return health{trouble: "the VM's host agent is gone"}
	default:
		return health{trouble: fmt.Sprintf("the VM's host agent (pid %d) does not answer", agent.PID)}
	}
}

// ask returns nil when the engine answers.
func (d *Driver) ask(ctx context.Context, engine appv1.EngineName, endpoint string) error {
	if engine == appv1.EngineContainerd {
		socket, err := d.socket(engine)
		if err != nil {
			return err
		}
		return probe.Dial(ctx, socket)
	}
	return probe.Ping(ctx, endpoint)
}
