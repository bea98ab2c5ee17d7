package supervisor

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/actors/vm"
	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/engine"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/fate"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// machine is what runs an engine, or does not. It outlives the daemon.
type machine struct {
	fates   *fate.Fates
	name    appv1.DriverName
	managed bool
	model   *engine.Model
	// link leads to the engine, calls to what the driver does on the host.
	link, calls *fate.Link

	mu       sync.Mutex
	presence vm.Presence
	spec     messages.VMSpec
	dead     chan struct{}
	// cut is when the engine was last lost.
	cut     time.Time
	missing error
	disk    string
}

func newMachine(f *fate.Fates, name appv1.DriverName) *machine {
	fails := func(*fate.Dice) error { return errors.New("simulated: the driver failed") }
	m := &machine{
		fates: f, name: name, managed: name != appv1.DriverExternal, presence: vm.Absent,
		model: engine.New(string(name)), link: engine.NewLink(f, string(name)),
		calls: fate.NewLink(f, "driver "+string(name), fails, fails),
	}
	if !m.managed {
		m.link.SetDown(nil)
	}
	return m
}

func (m *machine) endpoint() string { return "unix:///" + string(m.name) }

func (m *machine) with(f func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f()
}

func (m *machine) is() (p vm.Presence) {
	m.with(func() { p = m.presence })
	return p
}

// up brings the engine up.
func (m *machine) up(spec messages.VMSpec) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.presence == vm.Present {
		if m.name == appv1.DriverLima && spec.VM != m.spec.VM || spec.Engine != m.spec.Engine {
			return errors.New("simulated: another engine runs; stop it first")
		}
		return nil
	}
	if m.presence == vm.Broken && spec.Engine != m.spec.Engine {
		return errors.New("simulated: what is left of another engine is there; stop it first")
	}
	if m.name == appv1.DriverLima && spec.VM.Reset != m.disk {
		m.model.Wipe()
		m.disk = spec.VM.Reset
	}
	m.presence, m.spec, m.dead = vm.Present, spec, make(chan struct{})
	if spec.Engine != appv1.EngineContainerd {
		m.link.SetDown(nil)
	}
	return nil
}

// down ends the engine, and leaves this much of it.
func (m *machine) down(left vm.Presence) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.presence == vm.Present {
		close(m.dead)
		m.cut = time.Now()
		m.link.SetDown(engine.Refused())
		m.model.Stop()
	}
	if m.presence == vm.Present || left == vm.Absent {
		m.presence = left
	}
}

// reachable is whether an engine that nothing is wrong with would answer.
func (m *machine) reachable() bool { return !m.managed || m.is() == vm.Present }

// driver is the driver of a machine in one process.
type driver struct {
	*machine
	process *fate.Process
}

var _ vm.Driver = driver{}

// moment lets a moment pass that differs from what else happens now.
func (d driver) moment(who string) {
	d.fates.Pass(d.fates.Draw(who+string(d.name)).Between(100*time.Microsecond, 2*time.Millisecond))
}

func (d driver) Name() appv1.DriverName { return d.name }
func (d driver) Managed() bool          { return d.managed }

func (d driver) Available(ctx context.Context, _ messages.VMSpec) (string, error) {
	var missing error
	err := d.calls.Call(ctx, d.process, "available", "", func() error {
		d.with(func() { missing = d.missing })
		return missing
	})
	return "it is simulated", err
}

func (d driver) Inspect(ctx context.Context) (vm.Observed, error) {
	seen := vm.Observed{Presence: vm.Absent}
	if !d.managed {
		return seen, nil
	}
	err := d.calls.Call(ctx, d.process, "inspect", "", func() error {
		d.with(func() {
			if seen.Presence = d.presence; seen.Presence != vm.Absent {
				seen.Spec = d.spec
			}
		})
		return nil
	})
	return seen, err
}

func (d driver) Start(ctx context.Context, spec messages.VMSpec, progress func(string)) (string, error) {
	err := d.calls.Call(ctx, d.process, "start", "", func() error {
		if !d.managed {
			return d.link.Down()
		}
		progress("booting")
		dice := d.fates.Draw("boot " + string(d.name))
		if err := d.fates.Wait(ctx, dice.Between(100*time.Millisecond, 15*time.Second)); err != nil {
			if dice.Chance(0.3) { // the cancellation came too late
				_ = d.up(spec)
			}
			return fmt.Errorf("start: %w", err)
		}
		if d.process.Dead() && dice.Chance(0.5) {
			return errors.New("simulated: died before it was done")
		}
		return d.up(spec)
	})
	return d.endpoint(), err
}

func (d driver) StartWithin(messages.VMSpec) time.Duration { return time.Minute }

func (d driver) Wait(ctx context.Context) error {
	ctx, cancel := d.process.Bind(ctx)
	defer cancel()
	var dead chan struct{}
	d.with(func() { dead = d.dead })
	if !d.managed {
		dead = nil
	}
	select {
	case <-dead:
		d.moment("wait")
		return errors.New("simulated: the engine has died")
	case <-ctx.Done():
		d.moment("wait")
		return ctx.Err()
	}
}

func (d driver) Ping(ctx context.Context, _ string) (string, error) {
	if d.spec.Engine == appv1.EngineContainerd {
		return "", d.calls.Call(ctx, d.process, "ping", "", func() error { return nil })
	}
	return "", d.link.Call(ctx, d.process, "health", "", func() error { return nil })
}

func (d driver) Repair(context.Context) error { return errors.New("simulated: it cannot be repaired") }

func (d driver) StopWithin() time.Duration { return time.Minute }

func (d driver) Stop(ctx context.Context, _ func(string)) (string, error) {
	if !d.managed {
		d.moment("stop") // an answer at once would race with others
		return "", nil
	}
	return "", d.calls.Call(ctx, d.process, "stop", "", func() error {
		if err := d.fates.Wait(ctx, d.fates.Draw("halt "+string(d.name)).Between(50*time.Millisecond, 5*time.Second)); err != nil {
			return err
		}
		d.down(vm.Absent)
		return nil
	})
}

func (d driver) Delete(ctx context.Context) error {
	_, err := d.Stop(ctx, func(string) {})
	return err
}
