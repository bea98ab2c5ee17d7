package machine

import (
	"errors"
	"sync"
	"time"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/engine"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/fate"
)

// Presence is how much of an engine runs, in the terms of a VM driver.
type Presence string

// The presences.
const (
	Absent  Presence = "Absent"
	Broken  Presence = "Broken"
	Present Presence = "Present"
)

// Spec is the spec of an engine, with the fields that a daemon's spec has.
type Spec struct {
	Driver   appv1.DriverName
	Endpoint string
	Engine   appv1.EngineName
	Subnet   string
	VM       VM
}

// VM is the spec of a virtual machine.
type VM struct {
	CPUs           int
	Memory, Disk   int64
	Image          string
	Acceleration   appv1.Acceleration
	Mounts         string
	Restart, Reset string
}

// Machine runs an engine, or does not. It is safe for concurrent use.
type Machine struct {
	Name appv1.DriverName
	// Managed is set when rdd starts and stops the engine.
	Managed bool
	Model   *engine.Model
	// Link leads to the engine.
	Link *fate.Link

	fates *fate.Fates
	// calls leads to the host, for what a driver does there.
	calls *fate.Link

	mu     sync.Mutex // guards what follows
	status Status
	// dead is closed when the engine ends.
	dead    chan struct{}
	missing error
	// disk is the value of Spec.VM.Reset that the disk was created with.
	disk string
}

// Status is the state of a machine at one moment.
type Status struct {
	Presence Presence
	// Spec that the engine was started with.
	Spec Spec
	// Cut is when the engine was last lost.
	Cut time.Time
}

// New returns a machine whose engine is stopped, or runs and is not managed.
func New(f *fate.Fates, name appv1.DriverName) *Machine {
	fails := func(*fate.Dice) error { return errors.New("simulated: the driver failed") }
	m := &Machine{
		fates: f, Name: name, Managed: name != appv1.DriverExternal, status: Status{Presence: Absent},
		Model: engine.New(string(name)), Link: engine.NewLink(f, string(name)),
		calls: fate.NewLink(f, "driver "+string(name), fails, fails),
	}
	if !m.Managed {
		m.Link.SetDown(nil)
	}
	return m
}

// Endpoint returns the address of the engine.
func (m *Machine) Endpoint() string { return "unix:///" + string(m.Name) }

// Status returns the state of the machine.
func (m *Machine) Status() (s Status) {
	m.with(func() { s = m.status })
	return s
}

// Presence returns how much of the engine runs.
func (m *Machine) Presence() Presence { return m.Status().Presence }

// Reachable reports whether an engine without faults would answer.
func (m *Machine) Reachable() bool { return !m.Managed || m.Presence() == Present }

func (m *Machine) with(f func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f()
}

// SetRates sets the faults of calls to the engine and to the host.
func (m *Machine) SetRates(engine, host fate.Rates) {
	m.Link.Set(engine)
	m.calls.Set(host)
}

// Calm ends all faults. A managed engine that died stays dead.
func (m *Machine) Calm() {
	m.SetRates(fate.Rates{}, fate.Rates{})
	m.Link.Thaw()
	m.SetMissing(nil)
	if !m.Managed {
		m.Link.SetDown(nil)
	}
}

// SetMissing makes the driver unavailable with an error; nil ends that.
func (m *Machine) SetMissing(err error) { m.with(func() { m.missing = err }) }

// CutOff ends the engine. The machine keeps running.
func (m *Machine) CutOff() {
	m.with(func() { m.status.Cut = time.Now() })
	m.Link.SetDown(engine.Refused())
	m.Model.Stop()
}

// Restore restarts an engine that was cut off, unless the machine has ended.
func (m *Machine) Restore() {
	m.with(func() {
		if !m.Managed || m.status.Presence == Present && m.status.Spec.Engine != appv1.EngineContainerd {
			m.Link.SetDown(nil)
		}
	})
}

// Start starts the engine unless it runs.
func (m *Machine) Start(spec Spec) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	is := m.status
	isVM := m.Name == appv1.DriverLima
	if is.Presence == Present {
		if isVM && spec.VM != is.Spec.VM || spec.Engine != is.Spec.Engine {
			return errors.New("simulated: another engine runs: stop it first")
		}
		return nil
	}
	if is.Presence == Broken && spec.Engine != is.Spec.Engine {
		return errors.New("simulated: processes of another engine remain: stop it first")
	}
	if isVM && spec.VM.Reset != m.disk {
		m.Model.Wipe()
		m.disk = spec.VM.Reset
	}
	m.status.Presence, m.status.Spec, m.dead = Present, spec, make(chan struct{})
	if spec.Engine != appv1.EngineContainerd {
		m.Link.SetDown(nil)
	}
	return nil
}

// End ends the engine. remains is Broken or Absent.
func (m *Machine) End(remains Presence) {
	m.mu.Lock()
	defer m.mu.Unlock()
	was := m.status.Presence
	if was == Present {
		close(m.dead)
		m.status.Cut = time.Now()
		m.Link.SetDown(engine.Refused())
		m.Model.Stop()
	}
	if was == Present || remains == Absent {
		m.status.Presence = remains
	}
}
