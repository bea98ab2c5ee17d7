package mirror

import (
	"slices"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// presence is what is known of the engine's object.
type presence int

const (
	// unknown: the engine has not been asked yet.
	unknown presence = iota
	present
	absent
)

// view is everything a mirror knows, and all that its decisions follow from.
type view struct {
	kind   containersv1.Kind
	engine presence
	// lost is set when there is no engine any more.
	lost bool
	// desired carries the status as the engine has it, while present.
	desired containersv1.Mirror
	// resource as the API server has it; nil when it has none.
	resource containersv1.Mirror
	// carried is the last generation whose wish was carried out.
	carried int64
	// refusal is what the engine last refused; its zero value is nothing.
	refusal refusal
	// waiting is set while a call to the engine must wait for its next try.
	waiting bool
}

// with is the view with another resource.
func (v view) with(resource containersv1.Mirror) view {
	v.resource = resource
	return v
}

// refusal is the engine's answer to a wish that it did not carry out.
type refusal struct {
	// condition in which the refusal shows; empty when nothing was refused.
	condition string
	message   string
}

// operation is what a mirror can do.
type operation string

const (
	nothing          operation = "nothing"
	finish           operation = "finish"
	create           operation = "create"
	writeStatus      operation = "write status"
	restoreFinalizer operation = "restore finalizer"
	deleteResource   operation = "delete resource"
	removeObject     operation = "remove from engine"
	carryWish        operation = "carry out wish"
)

// writes is whether the operation writes to the API server.
func (op operation) writes() bool {
	switch op {
	case create, writeStatus, restoreFinalizer, deleteResource:
		return true
	}
	return false
}

// callsEngine is whether the operation carries out a user's wish in the engine.
func (op operation) callsEngine() bool { return op == removeObject || op == carryWish }

// decide says what to do next. It is level-triggered: the same view gives the
// same answer, whatever happened before.
func decide(v view) operation {
	gone := v.lost || v.engine == absent
	if v.resource == nil {
		switch {
		case gone:
			return finish
		case v.engine == present:
			return create
		}
		return nothing
	}
	if v.resource.GetDeletionTimestamp() != nil {
		return decideTerminating(v, gone)
	}
	switch {
	case gone:
		return deleteResource
	case v.kind.HasFinalizer() && !hasFinalizer(v.resource):
		return restoreFinalizer
	case v.engine != present:
		return nothing
	case wishPending(v) && !v.waiting:
		return carryWish
	case !composeStatus(v).SameStatus(v.resource):
		return writeStatus
	}
	return nothing
}

// decideTerminating is decide for a resource that somebody has deleted.
func decideTerminating(v view, gone bool) operation {
	switch {
	case gone && hasFinalizer(v.resource):
		return deleteResource
	case gone || v.engine != present || !hasFinalizer(v.resource):
		// Without rdd's finalizer the delete may well be rdd's own, for an engine
		// that was lost and is back: no object may be removed because of it.
		return nothing
	case !v.waiting:
		return removeObject
	case !composeStatus(v).SameStatus(v.resource):
		return writeStatus
	}
	return nothing
}

func hasFinalizer(m containersv1.Mirror) bool {
	return slices.Contains(m.GetFinalizers(), containersv1.Finalizer)
}

// wishPending is whether the resource carries a wish of a generation that was
// not carried out yet.
func wishPending(v view) bool {
	c, ok := v.resource.(*containersv1.Container)
	return ok && c.Spec.State != "" && c.Spec.State != containersv1.StateUnknown &&
		c.Generation > max(v.carried, c.Status.ObservedGeneration)
}
