package lima

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/process"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// Start implements vm.Driver.
func (d *Driver) Start(ctx context.Context, spec messages.VMSpec, progress func(string)) (string, error) {
	if err := d.checkSockets(spec.Engine); err != nil {
		return "", err
	}
	f := follower{d: d, engine: spec.Engine, want: hostSpec(spec), progress: progress}
	bounded, cancel := context.WithTimeout(ctx, d.StartWithin(spec))
	defer cancel()
	agent, err := d.adoptOrStart(bounded, hostSpec(spec), progress)
	if err == nil {
		err = f.follow(bounded, agent)
	}
	switch {
	case err == nil:
		socket, _ := d.socket(spec.Engine)
		return "unix://" + socket, nil
	case ctx.Err() != nil:
		return "", fmt.Errorf("start the VM: %w", ctx.Err())
	case bounded.Err() != nil:
		return "", fmt.Errorf("start the VM: it was not ready within %v; the last progress: %s%s", d.StartWithin(spec), f.lastProgress, d.logHint())
	default:
		return "", err
	}
}

// adoptOrStart returns the host agent of a VM with this spec: the running agent, or a
// new one, which adopts a running machine.
func (d *Driver) adoptOrStart(ctx context.Context, spec limahost.Spec, progress func(string)) (process.Process, error) {
	s, err := d.observe()
	if err != nil {
		return process.Process{}, err
	}
	if !s.isEmpty() && s.spec != spec {
		return process.Process{}, fmt.Errorf("start the VM (%[2]s): a VM with a different spec is running (%[1]s): run 'rdd stop' first", describe(s.spec), describe(spec))
	}
	switch {
	case s.agent.PID != 0:
		progress(fmt.Sprintf("adopting the VM, host agent %d", s.agent.PID))
		if err := d.usable(ctx, s); err == nil {
			return s.agent, nil
		} else if err := d.replace(ctx, s.agent, err); err != nil {
			return process.Process{}, err
		}
	case s.machine.PID != 0:
		progress(fmt.Sprintf("adopting the VM, QEMU %d", s.machine.PID))
	default:
		progress("starting the host agent")
	}
	return d.launch(ctx, spec)
}

func describe(s limahost.Spec) string {
	return fmt.Sprintf("%s, %d CPUs, %d MiB of memory, disk of %d MiB, image %q, acceleration %s, mounts %q, restart %q, reset %q",
		s.Engine, s.CPUs, s.Memory>>20, s.Disk>>20, s.Image, s.Acceleration, s.Mounts, s.Restart, s.Reset)
}

// usable returns nil when the running agent answers, and has a machine or starts one.
func (d *Driver) usable(ctx context.Context, s observation) error {
	ctx, cancel := context.WithTimeout(ctx, d.limits.answer)
	defer cancel()
	ticker := time.NewTicker(retryPause)
	defer ticker.Stop()
	for {
		status, err := d.client.Status(ctx, 0)
		switch {
		case err == nil && s.machine.PID == 0 && status.Phase == limahost.PhaseReady && !inProcess(status):
			// The agent is about to exit with the reason.
			return errors.Join(errors.New("the agent's machine has ended"), s.agent.Wait(ctx))
		case err == nil:
			return nil
		case !s.agent.Alive():
			return errors.New("the agent has exited")
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the agent does not answer: %w", err)
		case <-ticker.C:
		}
	}
}

// replace ends an agent that does not work. Its machine keeps running.
func (d *Driver) replace(ctx context.Context, agent process.Process, cause error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	d.log.Warn("replacing the host agent", "pid", agent.PID, "reason", cause)
	if err := d.kill(ctx, agent); err != nil {
		return fmt.Errorf("end a host agent that does not work: %w", err)
	}
	return nil
}
