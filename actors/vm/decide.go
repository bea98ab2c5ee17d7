package vm

import (
	"time"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// desiredState is the desired state from the last EnsureVM.
type desiredState struct {
	known   bool // false before the first EnsureVM
	running bool
	spec    messages.VMSpec
	// idle is EnsureVM.Idle.
	idle time.Duration
}

// job is the kind of driver call that is in flight.
type job int

const (
	noJob job = iota
	inspectJob
	checkJob
	startJob
	stopJob
	repairJob
	holdJob
)

// facts are all facts that the decision depends on, besides the desired state.
type facts struct {
	// job is the driver call in flight, and jobFor the desired spec when it began.
	job    job
	jobFor messages.VMSpec
	// cancelled is set if the start in flight was cancelled.
	cancelled bool
	// checked is set when it is known whether a driver can bring up checkedSpec while
	// another engine runs, and refused if no driver can.
	checked, refused bool
	checkedSpec      messages.VMSpec
	// waiting is set until a failed start, stop or inspection can be retried.
	waiting bool
	// attached is set while an engine runs that this actor started or adopted;
	// attachedSpec names its driver, never auto.
	attached     bool
	attachedSpec messages.VMSpec
	// endpointGone is set if the endpoint of the attached engine is gone, and the
	// driver has not tried to repair it.
	endpointGone bool
	// holding is set while connections to the engine are held. inUse is set if the
	// engine of an idle VM is used, until the next EnsureVM.
	holding, inUse bool
	// inspected is set while found is up to date.
	inspected bool
	// found is the managed engine that was found by the driver foundBy.
	found   Observed
	foundBy appv1.DriverName
}

// action is the next action. It follows from the desired state and the facts.
type action int

const (
	doNothing action = iota
	doInspect
	doCheck
	doStart
	doStop
	doCancel
	doRepair
	doHold
)

// next is the decision of the state machine. It is level-triggered: the actor calls
// it after every message, and a restarted actor gets the same result from the same
// facts.
func next(want desiredState, f facts) action {
	switch {
	case f.job == startJob:
		if f.cancelled || (want.running && want.spec == f.jobFor) {
			return doNothing
		}
		return doCancel
	case f.job != noJob, !want.known, f.waiting:
		return doNothing
	case want.idle > 0:
		return rest(f)
	case f.attached && want.running && satisfies(want.spec, f.attachedSpec):
		if f.endpointGone {
			return doRepair
		}
		return doNothing
	case f.attached:
		return replace(want, f, doNothing)
	case !f.inspected:
		return doInspect
	case f.found.Presence != Absent && !(want.running && satisfies(want.spec, f.foundSpec())):
		return replace(want, f, doStart)
	case want.running:
		return doStart
	default:
		return doNothing
	}
}

// rest returns what to do with a VM that should stop while it is idle. Its connections are
// held before the stop, so that a client that comes during the stop is not refused. A VM
// that runs although it should have stopped may be in use.
func rest(f facts) action {
	up := f.attached || f.found.Presence != Absent
	switch {
	case f.inUse:
		return doNothing
	case !f.attached && !f.inspected:
		return doInspect
	case !f.holding && (f.attached || !up):
		return doHold
	case f.holding && up:
		return doStop
	default:
		return doNothing
	}
}

// replace returns what to do with an engine that does not satisfy the desired state.
// It is stopped only if a driver can bring up the desired one. Otherwise it is kept.
func replace(want desiredState, f facts, keep action) action {
	switch {
	case !want.running:
		return doStop
	case !f.checked || f.checkedSpec != want.spec:
		return doCheck
	case f.refused:
		return keep
	default:
		return doStop
	}
}

// target returns the spec to start: the desired one, unless another engine is kept.
func target(want desiredState, f facts) messages.VMSpec {
	if f.found.Presence != Absent && f.refused && f.checkedSpec == want.spec {
		return f.foundSpec()
	}
	return want.spec
}

// foundSpec returns the spec of the engine that was found.
func (f facts) foundSpec() messages.VMSpec {
	spec := f.found.Spec
	spec.Driver = f.foundBy
	return spec
}

// satisfies reports whether an engine with the spec have, whose driver is never auto,
// satisfies the spec want. The endpoint matters for external only, the subnet for
// native only, and the properties of the VM for lima only.
func satisfies(want, have messages.VMSpec) bool {
	if engineOf(want) != engineOf(have) {
		return false
	}
	if want.Driver != have.Driver && want.Driver != appv1.DriverAuto && want.Driver != "" {
		return false
	}
	if want.Settings != have.Settings {
		return false
	}
	switch have.Driver {
	case appv1.DriverExternal:
		return want.Endpoint == have.Endpoint
	case appv1.DriverLima:
		return want.VM == have.VM
	case appv1.DriverNative:
		return want.Subnet == have.Subnet || engineOf(want) != appv1.EngineMoby
	default:
		return true
	}
}

func engineOf(spec messages.VMSpec) appv1.EngineName {
	if spec.Engine == "" {
		return appv1.EngineMoby
	}
	return spec.Engine
}
