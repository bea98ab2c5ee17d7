package memory

import (
	"context"
	"time"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
)

// resyncPause is the pause between two full syncs of a watch.
const resyncPause = 5 * time.Minute

// feed has the changes that one watch has not reported yet. It is guarded by the
// engine's lock.
type feed struct {
	changes []feedChange
	ended   error
	ready   chan struct{} // has room for one signal
}

type feedChange struct {
	Change
	at time.Time
}

func (f *feed) wake() {
	select {
	case f.ready <- struct{}{}:
	default:
	}
}

// endFeeds ends all watches with an error.
func (e *Engine) endFeeds(err error) {
	for f := range e.feeds {
		f.ended = err
		f.wake()
	}
}

// watch is one watch of the engine. It reports every change, and needs no known
// mirrors: reading is free.
type watch struct {
	engine *Engine
	feed   *feed
	sink   func(engine.Event)
	// reported are the keys that were reported of each object, which has several as
	// an image with several tags.
	reported map[objectID][]engine.Key
}

type objectID struct {
	kind containersv1.Kind
	id   string
}

// Watch implements engine.Engine.
func (c *conn) Watch(ctx context.Context, _ []containersv1.Mirror, sink func(engine.Event)) error {
	if err := c.ready(ctx); err != nil {
		return err
	}
	w := &watch{engine: c.engine, sink: sink, feed: &feed{ready: make(chan struct{}, 1)}}
	w.subscribe()
	defer w.unsubscribe()
	version, apiVersion := c.engine.Version()
	sink(engine.Connected{Version: version, APIVersion: apiVersion})
	w.sync()
	resync := time.NewTicker(resyncPause)
	defer resync.Stop()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-c.open.Done():
			return errClosed
		case <-resync.C:
			w.sync()
		case <-w.feed.ready:
			changes, err := w.take()
			for _, change := range changes {
				w.report(change.Kind, change.ID, change.Mirrors, change.at)
			}
			if err != nil {
				return err
			}
		}
	}
}

func (w *watch) subscribe() {
	defer w.engine.lock()()
	w.engine.feeds[w.feed] = struct{}{}
}

func (w *watch) unsubscribe() {
	defer w.engine.lock()()
	delete(w.engine.feeds, w.feed)
}

// take returns the changes that wait, and an error when the watch ends after them.
func (w *watch) take() ([]feedChange, error) {
	defer w.engine.lock()()
	changes := w.feed.changes
	w.feed.changes = nil
	return changes, w.feed.ended
}

// sync reports every object. Pending changes are older and are dropped.
func (w *watch) sync() {
	asOf := time.Now()
	w.reported = map[objectID][]engine.Key{}
	mirrors, counts := w.snapshot()
	w.sink(engine.Listed{Counts: counts})
	for _, m := range mirrors {
		of := objectID{m.MirrorKind(), m.ObjectID()}
		w.reported[of] = append(w.reported[of], engine.KeyOf(m))
		w.sink(engine.Object{Mirror: m, AsOf: asOf})
	}
	w.sink(engine.Synced{AsOf: asOf})
}

// snapshot returns all mirrors, and the number of objects of each kind.
func (w *watch) snapshot() (mirrors []containersv1.Mirror, counts map[containersv1.Kind]int) {
	defer w.engine.lock()()
	w.feed.changes = nil
	mirrors = append(w.engine.mirrors(containersv1.KindContainerNamespace, containersv1.MobyNamespace), w.engine.allMirrors()...)
	counts = map[containersv1.Kind]int{}
	objects := map[objectID]bool{}
	for _, m := range mirrors {
		if of := (objectID{m.MirrorKind(), m.ObjectID()}); !objects[of] {
			objects[of] = true
			counts[of.kind]++
		}
	}
	return mirrors, counts
}

// report reports the mirrors that an object has now, and that its others are gone.
func (w *watch) report(kind containersv1.Kind, id string, mirrors []containersv1.Mirror, asOf time.Time) {
	of := objectID{kind, id}
	present := map[engine.Key]bool{}
	var keys []engine.Key
	for _, m := range mirrors {
		keys = append(keys, engine.KeyOf(m))
		present[engine.KeyOf(m)] = true
	}
	for _, key := range w.reported[of] {
		if !present[key] {
			w.sink(engine.Gone{Key: key, AsOf: asOf})
		}
	}
	for _, m := range mirrors {
		w.sink(engine.Object{Mirror: m.CopyMirror(), AsOf: asOf})
	}
	w.reported[of] = keys
}
