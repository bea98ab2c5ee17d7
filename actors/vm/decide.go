package vm

import (
	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// wish is what the last EnsureVM asked for.
type wish struct {
	known   bool // false before the first EnsureVM
	running bool
	spec    messages.VMSpec
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
)

// facts are all that the decision depends on, apart from the wish.
type facts struct {
	// job in flight, and the wish's spec that it was begun for.
	job    job
	jobFor messages.VMSpec
	// cancelled is whether the start in flight was.
	cancelled bool
	// checked is whether a driver was asked if it can carry out checkedSpec while
	// another engine is there; refused is its answer.
	checked, refused bool
	checkedSpec      messages.VMSpec
	// waiting is set until a failed start, stop or inspection may be tried again.
	waiting bool
	// attached is set while an engine runs that this actor started or adopted;
	// attachedSpec names its driver, never auto.
	attached     bool
	attachedSpec messages.VMSpec
	// endpointGone is set while the attached engine is alive behind an endpoint
	// that is gone, and the driver was not asked yet to repair that.
	endpointGone bool
	// inspected is set while found is fact and not history.
	inspected bool
	// found is the managed engine that was found, of the driver foundBy.
	found   Observed
	foundBy appv1.DriverName
}

// action is what to do next. Exactly one follows from a wish and the facts.
type action int

const (
	doNothing action = iota
	doInspect
	doCheck
	doStart
	doStop
	doCancel
	doRepair
)

// next is the whole decision of the state machine. It is level-triggered: the
// actor asks again after every message, and a restarted actor comes to the same
// answer from the same facts.
func next(w wish, f facts) action {
	switch {
	case f.job == startJob:
		if f.cancelled || (w.running && w.spec == f.jobFor) {
			return doNothing
		}
		return doCancel
	case f.job != noJob, !w.known, f.waiting:
		return doNothing
	case f.attached && w.running && fits(w.spec, f.attachedSpec):
		if f.endpointGone {
			return doRepair
		}
		return doNothing
	case f.attached:
		return replace(w, f, doNothing)
	case !f.inspected:
		return doInspect
	case f.found.Presence != Absent && !(w.running && fits(w.spec, f.foundSpec())):
		return replace(w, f, doStart)
	case w.running:
		return doStart
	default:
		return doNothing
	}
}

// replace is what to do with an engine that is not the wished one. It is stopped
// for another one only when a driver says that it can bring that up; otherwise
// it is kept, since one that runs is worth more than none.
func replace(w wish, f facts, keep action) action {
	switch {
	case !w.running:
		return doStop
	case !f.checked || f.checkedSpec != w.spec:
		return doCheck
	case f.refused:
		return keep
	default:
		return doStop
	}
}

// target is the spec that a start brings up: the wished one, unless another
// engine is there and is kept.
func target(w wish, f facts) messages.VMSpec {
	if f.found.Presence != Absent && f.refused && f.checkedSpec == w.spec {
		return f.foundSpec()
	}
	return w.spec
}

// foundSpec is the spec that would have brought up what was found.
func (f facts) foundSpec() messages.VMSpec {
	spec := f.found.Spec
	spec.Driver = f.foundBy
	return spec
}

// fits is whether an engine brought up from the spec have, whose driver is
// never auto, is what want asks for. The endpoint matters to external only:
// elsewhere the driver chooses it. The properties of a VM matter to lima only.
func fits(want, have messages.VMSpec) bool {
	if engineOf(want) != engineOf(have) {
		return false
	}
	if want.Driver != have.Driver && want.Driver != appv1.DriverAuto && want.Driver != "" {
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
