package vm

import (
	"context"
	"fmt"
	"time"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/async"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// Deadlines of driver calls. They exceed the limits of the drivers, so that users get
// the error of the driver.
const (
	inspectDeadline = 15 * time.Second
	// chooseDeadline limits the choice of a driver, with its probes.
	chooseDeadline = 30 * time.Second
	// startSlack is added to the driver's limit of a start.
	startSlack = 15 * time.Second
	// repairDeadline limits a repair of an engine's endpoint.
	repairDeadline = time.Minute
	// stopSlack is added to the driver's limit of a stop.
	stopSlack = 15 * time.Second
)

// call is a driver call in flight.
type call struct {
	cancel context.CancelFunc
	// generation of the desired state when the call began.
	generation int64
}

// progressed is the progress of a start or a stop.
type progressed struct {
	call *call
	// choice is the choice of a start.
	choice choice
	text   string
}

// callDone is the result of a driver call.
type callDone struct {
	call     *call
	err      error
	found    Observed         // of an inspection
	foundBy  appv1.DriverName // of an inspection
	choice   choice           // of a start
	spec     messages.VMSpec  // of a start or a check
	endpoint string           // of a start
	note     string           // of a stop
	hold     Hold             // of a hold
	used     time.Time        // of a hold that is not possible, because the engine is used
}

// launch runs f outside of the mailbox. Its result is sent to the actor.
func (a *vmActor) launch(kind job, deadline time.Duration, f func(context.Context, *call) callDone) {
	t := &call{generation: a.generation}
	a.call, a.facts.job, a.facts.jobFor, a.facts.cancelled = t, kind, a.desired.spec, false
	t.cancel = a.tasks.Go(deadline, func(ctx context.Context) any {
		done := f(ctx, t)
		done.call = t
		return done
	})
}

func (a *vmActor) inspect() {
	drivers := a.cfg.Drivers
	a.progress = "searching for a running engine"
	a.launch(inspectJob, inspectDeadline, func(ctx context.Context, _ *call) callDone {
		found, by, err := Find(ctx, drivers)
		return callDone{found: found, foundBy: by, err: err}
	})
}

// startEngine chooses a driver and starts the engine with it.
func (a *vmActor) startEngine() {
	spec, drivers, kept, preferred := target(a.desired, a.facts), a.cfg.Drivers, appv1.DriverName(""), a.preferred()
	if a.facts.found.Presence != Absent {
		kept = a.facts.foundBy
	}
	a.progress, a.stopNote = "choosing a driver", ""
	a.cfg.Logger.Info("starting the engine", "engine", engineOf(spec), "generation", a.generation, "attempt", a.failure.count+1)
	send := a.tasks.Send
	a.launch(startJob, startDeadline(drivers, spec), func(ctx context.Context, t *call) callDone {
		chosen, err := chooseWithin(ctx, drivers, spec, kept, preferred)
		if err != nil {
			return callDone{choice: chosen, spec: spec, err: err}
		}
		ctx, cancel := context.WithTimeout(ctx, chosen.driver.StartWithin(spec)+startSlack)
		defer cancel()
		report := func(text string) { send(progressed{call: t, choice: chosen, text: text}) }
		report("starting the engine")
		endpoint, err := chosen.driver.Start(ctx, spec, report)
		return callDone{choice: chosen, spec: spec, endpoint: endpoint, err: err}
	})
}

// startDeadline returns the deadline of a start, which allows for the slowest driver.
func startDeadline(drivers []Driver, spec messages.VMSpec) time.Duration {
	var longest time.Duration
	for _, d := range drivers {
		longest = max(longest, d.StartWithin(spec))
	}
	return chooseDeadline + longest + startSlack
}

// chooseWithin calls choose within chooseDeadline.
func chooseWithin(ctx context.Context, drivers []Driver, spec messages.VMSpec, kept, preferred appv1.DriverName) (choice, error) {
	ctx, cancel := context.WithTimeout(ctx, chooseDeadline)
	defer cancel()
	return choose(ctx, drivers, spec, kept, preferred)
}

// stopEngine stops the attached engine, or the one that was found.
func (a *vmActor) stopEngine() {
	name := a.facts.foundBy
	if a.facts.attached {
		name = a.facts.attachedSpec.Driver
	}
	drivers := a.cfg.Drivers
	a.detach()
	a.progress = "stopping the engine and its containers"
	send := a.tasks.Send
	a.launch(stopJob, async.NoDeadline, func(ctx context.Context, t *call) callDone {
		for _, d := range drivers {
			if d.Name() == name {
				ctx, cancel := boundStop(ctx, d)
				defer cancel()
				note, err := d.Stop(ctx, func(text string) { send(progressed{call: t, text: text}) })
				return callDone{note: note, err: err}
			}
		}
		return callDone{err: fmt.Errorf("this rdd has no driver %s", name)}
	})
}

// repair makes the driver restore the endpoint of the attached engine.
func (a *vmActor) repair() {
	driver := a.choice.driver
	a.facts.endpointGone, a.watch.repairing, a.watch.repairErr = false, true, nil
	a.cfg.Logger.Warn("the endpoint of the engine is gone, and is being restored", "error", a.watch.err)
	a.launch(repairJob, repairDeadline, func(ctx context.Context, _ *call) callDone {
		return callDone{err: driver.Repair(ctx)}
	})
}

// repairEnded records why a repair failed, and allows the next one after a back-off. A
// successful repair ends the engine's process, which leads to a new start.
func (a *vmActor) repairEnded(m callDone) {
	if m.err == nil {
		return
	}
	a.cfg.Logger.Warn("the endpoint of the engine could not be restored", "error", m.err)
	if a.watch != nil {
		a.watch.repairFailed(m.err)
	}
}

// boundStop limits a stop by the driver's current limit.
func boundStop(ctx context.Context, d Driver) (context.Context, context.CancelFunc) {
	limit := d.StopWithin()
	if limit == NoLimit {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, limit+stopSlack)
}

func (a *vmActor) onProgress(m progressed) {
	if m.call != a.call {
		return
	}
	a.progress = m.text
	if a.facts.job == startJob {
		a.choice = m.choice
	}
}

func (a *vmActor) onCallDone(m callDone) {
	if m.call != a.call {
		return
	}
	kind, cancelled := a.facts.job, a.facts.cancelled
	a.call, a.facts.job, a.facts.cancelled, a.progress = nil, noJob, false, ""
	switch kind {
	case inspectJob:
		a.inspected(m)
	case checkJob:
		a.checkEnded(m)
	case startJob:
		a.startEnded(m, cancelled)
	case stopJob:
		a.stopEnded(m)
	case repairJob:
		a.repairEnded(m)
	case holdJob:
		a.holdEnded(m)
	case noJob:
	}
}

func (a *vmActor) inspected(m callDone) {
	if m.err != nil {
		a.fail("the search for a running engine failed", m.err)
		return
	}
	a.facts.inspected, a.facts.found, a.facts.foundBy = true, m.found, m.foundBy
	if m.found.Presence != Absent {
		a.cfg.Logger.Info("found an engine", "driver", m.foundBy, "presence", m.found.Presence, "detail", m.found.Detail)
	}
	if m.found.Presence != Absent && a.desired.idle > 0 && !a.facts.holding {
		a.inUse(time.Now())
	}
	if m.found.Presence == Absent && !a.desired.running {
		a.clearFailure()
		a.choice = choice{}
	}
}

func (a *vmActor) startEnded(m callDone, cancelled bool) {
	a.choice = m.choice
	switch {
	case m.err == nil:
		have := m.spec
		have.Driver, have.Engine = m.choice.driver.Name(), engineOf(have)
		a.attach(have, m.endpoint)
	case cancelled:
		// Inspect the remains of the cancelled start.
		a.facts.inspected = false
	default:
		a.fail("starting the engine failed", m.err)
		// A newer EnsureVM retries at once, because the cause may have been fixed.
		a.facts.waiting = m.call.generation == a.generation
	}
}

func (a *vmActor) stopEnded(m callDone) {
	a.facts.inspected = false
	if m.err != nil {
		a.fail("stopping the engine failed", m.err)
		return
	}
	if a.stopNote = m.note; m.note != "" {
		a.cfg.Logger.Warn("the engine was stopped", "note", m.note)
	} else {
		a.cfg.Logger.Info("the engine was stopped", "driver", a.driverName(), "generation", m.call.generation)
	}
	a.clearFailure()
	a.choice = choice{}
}
