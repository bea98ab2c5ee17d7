package mirror

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// presence is whether the engine has the object.
type presence int

const (
	// unknown: the object was not read yet.
	unknown presence = iota
	present
	absent
)

// view has all facts that a mirror decides from.
type view struct {
	kind containersv1.Kind
	// storable returns the part of a mirror that the API server stores; nil if that is all.
	storable func(containersv1.Mirror) containersv1.Mirror
	engine   presence
	// engineGone is set when the engine is gone for good.
	engineGone bool
	// object has the status as the engine reports it, while present.
	object containersv1.Mirror
	// resource is the resource in the API server; nil when there is none.
	resource containersv1.Mirror
	// applied is the last generation whose desired state was applied.
	applied int64
	// refusal is the last refusal of the engine; its zero value means none.
	refusal refusal
	// waiting is the call to the engine that waits for its retry; nothing when there is
	// none.
	waiting operation
	// inFlight is the running call to the engine; nothing when there is none.
	inFlight operation
	// isEnding is set if that call waits until the container has ended.
	isEnding bool
	// deleted is set once the deletion of the resource was applied to the engine. A
	// later object of this name is another one.
	deleted bool
	// recorded is the observedAt of the action for which this actor has recorded the run
	// of the container, until it has called an engine that may have carried it out.
	recorded *metav1.MicroTime
	// shutdowns is how often in a row the engine has answered that it is shutting down.
	shutdowns int
	// wasRead is set once the object was read for the Running action.
	wasRead bool
	// result is the outcome of the last action; nil when there is none.
	result *actionResult
}

// with returns the view with another resource.
func (v view) with(resource containersv1.Mirror) view {
	v.resource = resource
	return v
}

// refusal is the engine's answer to a request that it refused.
type refusal struct {
	// condition is the type of the condition that reports the refusal; empty when
	// nothing was refused.
	condition string
	message   string
}

// operation is one step of a mirror.
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
	runAction         operation = "run action"
	completeAction    operation = "complete action"
)

// callsEngine reports whether the operation is a call to the engine for a user,
// and not a write to the API server.
func (op operation) callsEngine() bool {
	return op == removeObject || op == applyDesiredState || op == runAction
}

// plan is what to do next. At most one call to the engine and one write to the API
// server run at a time. Both can run at once, because a stop can take minutes, and
// the resource must show what the engine reports meanwhile.
type plan struct {
	engine, write operation
	// cancel is set when the call in flight is no longer needed.
	cancel bool
}

// decide returns what to do next. The plan depends on the view only, and not on
// what happened before.
func decide(v view) plan {
	var p plan
	switch {
	case v.inFlight == nothing:
		if call := engineCall(v); call != v.waiting {
			p.engine, v.inFlight = call, call
		}
	case v.engineGone:
		p.cancel = true
	case v.inFlight == applyDesiredState || v.inFlight == runAction:
		p.cancel = v.engine == absent || v.resource != nil && isTerminating(v.resource) || v.isEnding && requestsKill(v)
	}
	p.write = decideWrite(v)
	return p
}

// engineCall returns the call to the engine that the resource requests.
func engineCall(v view) operation {
	switch {
	case v.engineGone || v.engine != present || v.resource == nil:
		return nothing
	case isTerminating(v.resource):
		// Without rdd's finalizer, rdd itself may have deleted the resource, for an
		// engine that was gone and is back. Such a deletion must not remove an object.
		// Neither must a deletion that was already applied.
		if hasFinalizer(v.resource) && !v.deleted {
			return removeObject
		}
	case hasPendingAction(v):
		return runAction
	case hasPendingState(v) && !(requestsKill(v) && waitsForEnd(applyDesiredState, v.resource)):
		return applyDesiredState
	}
	return nothing
}

// decideWrite returns the next write that makes the resource equal to the engine's
// object, or finish when neither exists.
func decideWrite(v view) operation {
	gone := v.engineGone || v.engine == absent
	switch {
	case v.resource == nil && v.inFlight != nothing:
		return nothing // the answer says whether the object still exists
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

// writeTerminating is decideWrite for a resource that is being deleted. A resource
// that only the finalizer of another controller holds still mirrors the engine.
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
	if v.engine == unknown && !v.engineGone {
		return nothing
	}
	switch status := composeStatus(v); {
	case status.SameStatus(v.resource) && containersv1.HasResourceLabels(v.resource, status):
		return nothing
	case endsAction(v.resource, status):
		return completeAction
	}
	return writeStatus // which also writes the labels
}

// isDeleted reports whether the deletion of the resource was applied to the engine.
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

// hasPendingState reports whether the resource has a desired state of a generation
// that was not applied yet.
func hasPendingState(v view) bool {
	c, ok := v.resource.(*containersv1.Container)
	return ok && c.HasPendingState() && c.Generation > v.applied
}
