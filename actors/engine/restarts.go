package engine

import (
	"context"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/async"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

const (
	// maxPause is the longest pause before a mirror restarts that was given up.
	maxPause = 5 * time.Minute
	// markTimeout bounds the write that marks a resource as failed.
	markTimeout = 30 * time.Second
)

// restarts paces the restarts of a mirror that the supervision strategy gave up.
type restarts struct {
	// failure is why it was given up last.
	failure error
	// pauses counts those in a row. A mirror that ran for long begins a new row.
	pauses int
	// startedAt is when the actor was created.
	startedAt time.Time
	// isPaused is set during a pause. Only the end of its engine ends it early.
	isPaused bool
	// number of the last pause; the end of a former one is stale.
	number int
	timer  *time.Timer
}

// restartDue reports that a pause of a mirror is over.
type restartDue struct {
	e *entry
	// pause is the number of the pause.
	pause int
}

// reset ends the pause, and forgets earlier failures.
func (r *restarts) reset() {
	if r.timer != nil {
		r.timer.Stop()
	}
	*r = restarts{number: r.number}
}

// pause begins a pause and returns its length.
func (r *restarts) pause(first time.Duration, now time.Time) time.Duration {
	if now.Sub(r.startedAt) > 2*maxPause {
		r.pauses = 0
	}
	r.pauses++
	r.number++
	r.isPaused = true
	return async.Backoff{Min: first, Max: maxPause}.Delay(r.pauses)
}

// mirrorFailed handles the failure of a mirror, before the mirror restarts.
func (s *supervisor) mirrorFailed(c actor.Context, e *entry, f messages.ChildFailed) {
	s.Logger.Error("mirror failed", "mirror", f.Name, "err", async.WithStack(f.Err), "retryIn", f.RetryIn, "gaveUp", f.GaveUp)
	switch {
	case f.GaveUp:
		e.restarts.failure = f.Err
		s.sync.gaveUp(e.key, f.Err)
		s.markFailed(e)
	case e.pid != nil && !e.isStopping:
		e.resendState(c) // the next incarnation starts empty
	}
}

// markFailed shows the failure on the resource.
func (s *supervisor) markFailed(e *entry) {
	if e.resource == nil || e.resource.MirrorConditions() == nil {
		return
	}
	kind, name, namespace, cause := e.key.kind, e.key.name, e.resource.GetNamespace(), e.restarts.failure
	s.tasks.Go(markTimeout, func(ctx context.Context) any {
		return marked{s.MarkFailed(ctx, kind, namespace, name, cause)}
	})
}

// restartLater restarts a mirror after a pause. The pauses grow.
func (s *supervisor) restartLater(e *entry) {
	pause := e.restarts.pause(s.Slow, time.Now())
	e.restarts.timer = s.tasks.After(pause, restartDue{e: e, pause: e.restarts.number})
}

func (s *supervisor) pauseOver(c actor.Context, due restartDue) {
	if due.pause == due.e.restarts.number {
		s.restartMirror(c, due.e)
	}
}

// restartMirror creates a new actor for an entry that has none. It removes the entry
// when resource and object are gone.
func (s *supervisor) restartMirror(c actor.Context, e *entry) {
	switch {
	case e.pid != nil || s.mirrors.entries[e.key] != e:
	case e.exists():
		s.spawnMirror(c, e)
	default:
		s.remove(c, e)
	}
}

// await has the sync wait for a mirror, unless the mirror was given up.
func (s *supervisor) await(e *entry) {
	if e.restarts.isPaused {
		s.sync.gaveUp(e.key, e.restarts.failure)
		return
	}
	s.sync.await(e.key)
}
