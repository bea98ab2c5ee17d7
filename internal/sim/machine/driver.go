package machine

import (
	"context"
	"errors"
	"fmt"
	"time"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/fate"
)

// Driver is what one process of the daemon does with a machine. Its methods are those
// of a VM driver, and take as long as those can.
type Driver struct {
	*Machine
	process *fate.Process
}

// NewDriver returns the driver of a machine in a process.
func NewDriver(m *Machine, p *fate.Process) Driver { return Driver{m, p} }

// pause passes a short time that differs from other pauses.
func (d Driver) pause(who string) {
	d.fates.Pass(d.fates.Draw(who+string(d.Name)).Between(100*time.Microsecond, 2*time.Millisecond))
}

// Available returns the reason why the driver cannot be used, or nil.
func (d Driver) Available(ctx context.Context) error {
	var missing error
	return d.calls.Call(ctx, d.process, "available", "", func() error {
		d.with(func() { missing = d.missing })
		return missing
	})
}

// Inspect returns the state of the machine; a machine that is not managed is Absent.
func (d Driver) Inspect(ctx context.Context) (Status, error) {
	seen := Status{Presence: Absent}
	if !d.Managed {
		return seen, nil
	}
	err := d.calls.Call(ctx, d.process, "inspect", "", func() error {
		is := d.Status()
		if seen.Presence = is.Presence; is.Presence != Absent {
			seen.Spec = is.Spec
		}
		return nil
	})
	return seen, err
}

// Start starts the engine and returns its endpoint.
func (d Driver) Start(ctx context.Context, spec Spec, progress func(string)) (string, error) {
	err := d.calls.Call(ctx, d.process, "start", "", func() error {
		if !d.Managed {
			return d.Link.Down()
		}
		progress("booting")
		dice := d.fates.Draw("boot " + string(d.Name))
		if err := d.fates.Wait(ctx, dice.Between(100*time.Millisecond, 15*time.Second)); err != nil {
			if dice.Chance(0.3) { // the cancellation came too late
				_ = d.Machine.Start(spec)
			}
			return fmt.Errorf("start: %w", err)
		}
		if d.process.Dead() && dice.Chance(0.5) {
			return errors.New("simulated: the process was killed during the start")
		}
		return d.Machine.Start(spec)
	})
	return d.Endpoint(), err
}

// Wait returns when the engine has ended. If ctx ends it may return late, when another engine
// is waited for.
func (d Driver) Wait(ctx context.Context) error {
	ctx, cancel := d.process.Bind(ctx)
	defer cancel()
	var dead chan struct{}
	d.with(func() { dead = d.dead })
	if !d.Managed {
		dead = nil
	}
	select {
	case <-dead:
		d.pause("wait")
		return errors.New("simulated: the engine has died")
	case <-ctx.Done():
		d.pause("wait")
		if dice := d.fates.Draw("late wait " + string(d.Name)); dice.Chance(0.3) {
			d.fates.Pass(dice.Between(0, 20*time.Second))
		}
		return ctx.Err()
	}
}

// Ping checks whether the engine answers. containerd always does.
func (d Driver) Ping(ctx context.Context) error {
	answer := func() error { return nil }
	if d.Status().Spec.Engine == appv1.EngineContainerd {
		return d.calls.Call(ctx, d.process, "ping", "", answer)
	}
	return d.Link.Call(ctx, d.process, "health", "", answer)
}

// Stop stops a managed engine.
func (d Driver) Stop(ctx context.Context) error {
	if !d.Managed {
		d.pause("stop") // an answer at once would race with others
		return nil
	}
	return d.calls.Call(ctx, d.process, "stop", "", func() error {
		if err := d.fates.Wait(ctx, d.fates.Draw("halt "+string(d.Name)).Between(50*time.Millisecond, 5*time.Second)); err != nil {
			return err
		}
		d.End(Absent)
		return nil
	})
}
