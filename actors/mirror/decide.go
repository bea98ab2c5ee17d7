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
	// inFlight is the call to the engine that is under way, nothing when none is.
	inFlight operation
	// deleted is set once the delete of the resource is carried out: an object that
	// has its name later is another one.
	deleted bool
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
	nothing           operation = ""
	finish            operation = "finish"
	create            operation = "create"
	writeStatus       operation = "write status"
	claim             operation = "claim"
	deleteResource    operation = "delete resource"
	removeObject      operation = "remove from engine"
	applyDesiredState operation = "apply desired state"
)

// callsEngine reports whether the operation is a call to the engine for a user,
// and not a write to the API server.
func (op operation) callsEngine() bool { return op == removeObject || op == applyDesiredState }

// plan is what to do next. A call to the engine and a write to the API server run
// beside each other, and never two of a kind: a stop can take minutes, and what
// the engine reports meanwhile is to be seen.
type plan struct {
	engine, write operation
	// cancel is set when the call in flight has lost its reason.
	cancel bool
}

// decide returns what to do next. It is level-triggered: the same view gives the
// same plan, whatever happened before.
func decide(v view) plan {
	var p plan
	switch {
	case v.inFlight == nothing && !v.waiting:
		p.engine = engineCall(v)
		v.inFlight = p.engine
	case v.lost:
		p.cancel = v.inFlight != nothing
	case v.inFlight == applyDesiredState:
		p.cancel = v.engine == absent || v.resource != nil && isTerminating(v.resource)
	}
	p.write = decideWrite(v)
	return p
}

// engineCall returns the call that the resource asks for.
func engineCall(v view) operation {
	switch {
	case v.lost || v.engine != present || v.resource == nil:
		return nothing
	case isTerminating(v.resource):
		// Without rdd's finalizer the delete may well be rdd's own, for an engine
		// that was lost and is back: no object may be removed because of it. Nor
		// because of a delete that is carried out already.
		if hasFinalizer(v.resource) && !v.deleted {
			return removeObject
		}
	case hasPendingState(v):
		return applyDesiredState
	}
	return nothing
}

// decideWrite returns the write that brings the resource closer to the engine's
// object, or finish when neither is left.
func decideWrite(v view) operation {
	gone := v.lost || v.engine == absent
	switch {
	case v.resource == nil && v.inFlight != nothing:
		return nothing // the answer says whether the object is still there
	case v.resource == nil && gone:
		return finish
	case v.resource == nil && v.engine == present:
		return create
	case v.resource == nil:
		return nothing
	case isTerminating(v.resource):
		return writeTerminating(v, gone)
	case gone:
		return deleteResource
	case !isClaimed(v.resource):
		return claim
	}
	return statusWrite(v)
}

// writeTerminating is decideWrite for a resource that is being deleted. One that
// only the finalizer of another controller holds still shows what the engine has.
func writeTerminating(v view, gone bool) operation {
	switch {
	case hasFinalizer(v.resource) && (gone || v.deleted):
		return deleteResource
	case v.engine == present || gone && !hasFinalizer(v.resource):
		return statusWrite(v)
	}
	return nothing
}

func statusWrite(v view) operation {
	if v.engine == unknown && !v.lost || composeStatus(v).SameStatus(v.resource) {
		return nothing
	}
	return writeStatus
}

// isDeleted reports whether the delete of the resource is carried out.
func isDeleted(v view) bool {
	return v.resource != nil && isTerminating(v.resource) && (v.deleted || v.engine == absent)
}

func isTerminating(m containersv1.Mirror) bool { return m.GetDeletionTimestamp() != nil }

// isHeld reports whether only finalizers of other controllers keep the resource.
func isHeld(m containersv1.Mirror) bool {
	return isTerminating(m) && !hasFinalizer(m) && len(m.GetFinalizers()) > 0
}

// isClaimed reports whether the resource has rdd's finalizer and managed fields.
func isClaimed(m containersv1.Mirror) bool {
	return containersv1.HasOwnManager(m) && (hasFinalizer(m) || !m.MirrorKind().HasFinalizer())
}

func hasFinalizer(m containersv1.Mirror) bool {
	return slices.Contains(m.GetFinalizers(), containersv1.Finalizer)
}

// hasPendingState is whether the resource carries a wish of a generation that was
// not carried out yet.
func hasPendingState(v view) bool {
	c, ok := v.resource.(*containersv1.Container)
	return ok && c.Spec.State != "" && c.Spec.State != containersv1.StateUnknown &&
		c.Generation > max(v.carried, c.Status.ObservedGeneration)
}
