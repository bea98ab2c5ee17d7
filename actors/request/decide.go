package request

import (
	"time"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// view has all facts that the actor of a request decides from.
type view struct {
	// resource is the request as it is stored; nil before it is known.
	resource containersv1.Request
	// desired is the request with the status that it should have.
	desired containersv1.Request
	// sent is the status that was written last, and answer what the API server has stored of
	// it, if that is another one: the definitions of a hub can be of another version. Both are
	// nil otherwise.
	sent, answer containersv1.Request
	// isGone is set when the API server does not have the request any more.
	isGone bool
	// mustStore is set while the work continues only after desired is stored.
	mustStore bool
	// hasEngine is whether an engine is connected, as far as the actor knows.
	hasEngine bool
	// isRefused is set if this machine carries out no requests.
	isRefused bool
	// isBusy is set while the engine supervisor is asked, or the engine works on the request.
	isBusy bool
	// isWorking is set while the engine works on the request.
	isWorking bool
	// isPausing is set while the next attempt waits.
	isPausing bool
	now       time.Time
}

// step is what the actor does next with the engine.
type step string

// write is what the actor does next with the API server.
type write string

const (
	// openEngine asks for the connected engine.
	openEngine step = "open the engine"
	// work calls the engine.
	work step = "work"

	noWrite       write = ""
	writeStatus   write = "write the status"
	deleteRequest write = "delete the request"
)

// plan is what to do next. A call to the engine and a write can run at once.
type plan struct {
	step  step
	write write
	// cancel is set when the work under way is no longer requested.
	cancel bool
	// wake is when a finished request expires; zero for other requests.
	wake time.Time
}

// decide returns what to do next. The plan depends on the view only, and not on what
// happened before.
func decide(v view) plan {
	switch {
	case v.resource == nil || v.isGone || v.resource.GetDeletionTimestamp() != nil:
		return plan{cancel: v.isWorking}
	case containersv1.IsFinished(v.resource):
		return expire(v)
	}
	var p plan
	if !v.isStored() {
		p.write = writeStatus
	}
	switch {
	case containersv1.IsFinished(v.desired) || v.isRefused || v.isBusy || v.isPausing:
	case v.mustStore && p.write != noWrite:
	case !v.hasEngine:
		p.step = openEngine
	default:
		p.step = work
	}
	return p
}

// isStored reports whether the API server has the desired status, or what it stores of it.
func (v view) isStored() bool {
	return v.desired.SameStatus(v.resource) || v.isStoredInPart()
}

// isStoredInPart reports whether another write of the desired status would change nothing.
func (v view) isStoredInPart() bool {
	return v.sent != nil && v.desired.SameStatus(v.sent) && v.resource.SameStatus(v.answer)
}

// expire returns the plan for a finished request.
func expire(v view) plan {
	expiry := expiresAt(v.resource)
	if v.now.Before(expiry) {
		return plan{wake: expiry}
	}
	return plan{write: deleteRequest}
}

// expiresAt returns when rdd deletes a finished request.
func expiresAt(r containersv1.Request) time.Time {
	ttl := time.Duration(containersv1.DefaultTTLSecondsAfterFinished) * time.Second
	if seconds := r.CommonSpec().TTLSecondsAfterFinished; seconds != nil {
		ttl = time.Duration(*seconds) * time.Second
	}
	completed := r.GetCreationTimestamp().Time
	if at := r.CommonStatus().CompletedAt; at != nil {
		completed = at.Time
	}
	return completed.Add(ttl)
}
