package docker

import (
	"context"
	"time"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/async"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
)

// read is the state of an object that is being read because of an event, or whose
// last reading failed.
type read struct {
	// running is set while a reading for an event runs. Another event meanwhile sets
	// again.
	running, again bool
	// attempts counts the readings in a row that failed. failed is when the last of
	// them began.
	attempts int
	failed   time.Time
	// retry runs until the next attempt; nil when none is planned.
	retry *time.Timer
}

func (r *read) stopRetry() {
	if r.retry != nil {
		r.retry.Stop()
		r.retry = nil
	}
}

// reading is what one reading found. An object that was not found has the error of
// the engine, or no mirrors when a list does not have it.
type reading struct {
	// key has no tag: the reading of an image has one mirror for each tag.
	key     engine.Key
	mirrors []containersv1.Mirror
	// asOf is when the reading began.
	asOf time.Time
	err  error
	// bySync is set for a reading of a full sync.
	bySync bool
	// listed is set when the reading follows from a list, without an inspection.
	listed bool
	// shown is set when a list of asOf had the image.
	shown bool
}

// retryDue requests another attempt after a number of failed ones.
type retryDue struct {
	key      engine.Key
	attempts int
}

// refresh reads an object because it may have changed. The new reading does not wait
// for the retry of an earlier one.
func (w *watcher) refresh(key engine.Key) {
	r := w.reads[key]
	if r == nil {
		r = &read{}
		w.reads[key] = r
	}
	if r.running {
		r.again = true
		return
	}
	w.startRead(key, r)
}

func (w *watcher) startRead(key engine.Key, r *read) {
	r.stopRetry()
	r.running, r.again = true, false
	w.rechecks[key].started()
	w.tasks.Go(readTimeout, func(ctx context.Context) any { return w.read(ctx, key) })
}

// read inspects one object. A panic fails this reading and nothing else.
func (w *watcher) read(ctx context.Context, key engine.Key) reading {
	v := reading{key: key, asOf: time.Now()}
	v.err = async.Safely(func() (err error) {
		v.mirrors, err = inspect(ctx, w.api, key)
		return err
	})
	return v
}

// readDone reports what was read. A reading that failed is retried, so that an object
// that cannot be read affects no other one.
func (w *watcher) readDone(v reading) {
	r := w.reads[v.key]
	if r == nil {
		r = &read{}
		w.reads[v.key] = r
	}
	if !v.bySync {
		r.running = false
	}
	if v.err != nil && !engine.IsNotFound(v.err) {
		w.readFailed(v, r)
		return
	}
	w.report(v)
	w.updateRecheck(v)
	w.updateHealth(v)
	if v.asOf.Before(r.failed) {
		// A reading that began later has failed: the object remains unread.
		if !r.running {
			w.startRead(v.key, r)
		}
		return
	}
	r.attempts = 0
	r.stopRetry()
	switch {
	case r.running:
		// The reading for an event may be newer than this one of a full sync.
	case r.again:
		w.startRead(v.key, r)
	default:
		delete(w.reads, v.key)
	}
}

func (w *watcher) readFailed(v reading, r *read) {
	r.attempts++
	if r.failed.Before(v.asOf) {
		r.failed = v.asOf
	}
	w.logger.Warn("object could not be read", "kind", v.key.Kind, "id", v.key.ID, "err", async.WithStack(v.err))
	switch {
	case r.running:
	case r.again:
		w.startRead(v.key, r)
	default:
		r.stopRetry()
		backoff := async.Backoff{Min: 200 * time.Millisecond, Max: time.Minute}
		r.retry = w.tasks.After(backoff.Delay(r.attempts), retryDue{key: v.key, attempts: r.attempts})
	}
}

// retryDue starts the next attempt. The timer of an attempt that was replaced may
// have fired before it was stopped.
func (w *watcher) retryDue(v retryDue) {
	if r := w.reads[v.key]; r != nil && r.retry != nil && r.attempts == v.attempts {
		w.startRead(v.key, r)
	}
}

// report sends a reading to the sink, unless it began before the last full sync, or
// before the object was reported gone.
func (w *watcher) report(v reading) {
	if v.asOf.Before(w.syncedAsOf) || v.asOf.Before(w.gone[v.key]) {
		return
	}
	if v.err != nil {
		w.gone[v.key] = v.asOf
	}
	switch {
	case v.key.Kind == containersv1.KindImage:
		w.reportImage(v)
	case v.err != nil:
		delete(w.prunable, v.key)
		w.sink(engine.Gone{Key: v.key, AsOf: v.asOf})
	default:
		if w.lists[v.key.Kind] != nil {
			w.prunable[v.key] = v.asOf
		}
		w.sink(engine.Object{Mirror: v.mirrors[0], AsOf: v.asOf})
	}
}
