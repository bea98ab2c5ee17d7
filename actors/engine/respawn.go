package engine

import (
	"context"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/async"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

const (
	// longestRest is the longest pause before a mirror that was given up is made again.
	longestRest = 5 * time.Minute
	// markTimeout bounds the write that marks a resource as failed.
	markTimeout = 30 * time.Second
)

// marked is the result of marking a resource as failed.
type marked struct{ err error }

// rests counts how often the mirror of an entry was given up in a row.
type rests struct {
	// failure is why it was given up last.
	failure error
	// inRow counts the pauses; a mirror that lived long begins a new row.
	inRow int
	// spawned is when the mirror was made last.
	spawned time.Time
	// resting is set during a pause: nothing but the end of its engine wakes it.
	resting bool
}

// next begins a pause and returns its length.
func (r *rests) next(first time.Duration, now time.Time) time.Duration {
	if now.Sub(r.spawned) > 2*longestRest {
		r.inRow = 0
	}
	r.inRow++
	r.resting = true
	return async.Backoff{Min: first, Max: longestRest}.Delay(r.inRow)
}

// mirrorFailed notes that a mirror failed, before it restarts.
func (s *supervisor) mirrorFailed(c actor.Context, e *entry, f messages.ChildFailed) {
	s.Logger.Error("mirror failed", "mirror", f.Name, "err", f.Err, "retryIn", f.RetryIn, "gaveUp", f.GaveUp)
	switch {
	case f.GaveUp:
		e.rests.failure = f.Err
		s.sync.gaveUp(e.key, f.Err)
		s.checkReady()
		s.markFailed(e)
	case e.pid != nil && !e.stopping:
		e.tellAll(c) // whatever the mirror knew is gone with its former self
	}
}

// markFailed shows the failure on the resource.
func (s *supervisor) markFailed(e *entry) {
	if e.resource == nil || e.resource.MirrorConditions() == nil {
		return
	}
	kind, name, namespace, cause := e.key.kind, e.key.name, e.resource.GetNamespace(), e.rests.failure
	s.tasks.Go(markTimeout, func(ctx context.Context) any {
		return marked{s.MarkFailed(ctx, kind, namespace, name, cause)}
	})
}

// rest makes a mirror again after a pause, which grows.
func (s *supervisor) rest(e *entry) {
	s.tasks.After(e.rests.next(s.Slow, time.Now()), respawn{e})
}

// await has the sync wait for a mirror, unless that one is known to fail.
func (s *supervisor) await(e *entry) {
	if e.rests.resting {
		s.sync.gaveUp(e.key, e.rests.failure)
		return
	}
	s.sync.await(e.key)
}
