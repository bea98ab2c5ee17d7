package docker

import (
	"context"
	"slices"
	"strings"
	"time"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/async"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
)

// Pauses between an event and the list that follows from it. A burst of events costs
// one list, or a few when it is long: after a list there is a pause of five times
// the duration of the list.
const (
	listPause      = 100 * time.Millisecond
	maxListPause   = 2 * time.Second
	listRestFactor = 5
)

// Messages of a list to the watcher.
type (
	listDue struct{ kind containersv1.Kind }
	listed  struct {
		kind    containersv1.Kind
		objects []Listed
		asOf    time.Time
		err     error
	}
)

// listing schedules the lists of one kind beside full syncs: one at a time, and
// another one when an event arrives meanwhile.
type listing struct {
	tasks *async.Runner
	kind  containersv1.Kind
	api   API
	// due runs while a list is planned.
	due *time.Timer
	// running is set while a list is read, again when another one must follow.
	running, again bool
	// took is the duration of the last list, failures how many failed in a row.
	took     time.Duration
	failures int
}

// soon plans a list unless one is planned.
func (l *listing) soon() {
	switch {
	case l.running:
		l.again = true
	case l.due == nil:
		pause := min(listPause+listRestFactor*l.took, maxListPause)
		if l.failures > 0 {
			pause = async.Backoff{Min: maxListPause, Max: time.Minute}.Delay(l.failures)
		}
		l.due = l.tasks.After(pause, listDue{l.kind})
	}
}

// start reads a list now, or after the one that runs.
func (l *listing) start() {
	if l.running {
		l.again = true
		return
	}
	if l.due != nil {
		l.due.Stop()
		l.due = nil
	}
	l.running = true
	l.tasks.Go(readTimeout, func(ctx context.Context) any {
		v := listed{kind: l.kind, asOf: time.Now()}
		v.objects, v.err = l.api.List(ctx, l.kind)
		return v
	})
}

// end notes the result of a list and plans the next one, if one must follow.
func (l *listing) end(v listed) {
	again := l.again || v.err != nil
	l.running, l.again, l.took = false, false, time.Since(v.asOf)
	l.failures++
	if v.err == nil {
		l.failures = 0
	}
	if again {
		l.soon()
	}
}

// isCurrent reports whether nothing happened since the last list began.
func (l *listing) isCurrent() bool { return !l.running && l.due == nil }

// prunableOf returns the objects of a kind that were last reported before a point in
// time, sorted.
func (w *watcher) prunableOf(kind containersv1.Kind, before time.Time) []engine.Key {
	var keys []engine.Key
	for key, at := range w.prunable {
		if key.Kind == kind && at.Before(before) {
			keys = append(keys, key)
		}
	}
	slices.SortFunc(keys, func(a, b engine.Key) int { return strings.Compare(a.ID, b.ID) })
	return keys
}

// objectsListed reports the objects of which the list has every field, and that objects
// which are not listed are gone.
func (w *watcher) objectsListed(v listed) {
	w.lists[v.kind].end(v)
	if v.err != nil {
		w.logger.Warn("objects could not be listed", "kind", v.kind, "err", v.err)
		return
	}
	for _, object := range v.objects {
		if object.Mirror != nil {
			w.report(reading{key: engine.KeyOf(object.Mirror), mirrors: []containersv1.Mirror{object.Mirror}, asOf: v.asOf})
		}
	}
	shown := byID(v.objects)
	for _, key := range w.prunableOf(v.kind, v.asOf) {
		if _, isShown := shown[key.ID]; isShown {
			continue
		}
		delete(w.prunable, key)
		w.gone[key] = v.asOf
		w.sink(engine.Gone{Key: key, AsOf: v.asOf})
	}
}

// imageListing also keeps the images that the last list showed.
type imageListing struct {
	*listing

	shown map[string]Listed
	// afterSync is set when another list must follow the full sync.
	afterSync bool
	// syncWaiting is a full sync that has read everything and waits for this list.
	syncWaiting *syncRead
}

// imagesListed compares the images that were read with a list. An image that is not
// listed is gone, or hidden because it has no tag and another one is built on it. An
// image that is not listed as it was read is read again.
func (w *watcher) imagesListed(v listed) {
	w.imageList.end(v)
	defer w.endWaitingSync()
	if v.err != nil {
		w.logger.Warn("images could not be listed", "err", v.err)
		return
	}
	w.imageList.shown = byID(v.objects)
	for _, image := range v.objects {
		w.releaseHeld(image, v.asOf)
	}
	for _, id := range w.images.differing(v.objects) {
		if w.syncing && w.images.byID[id] == nil {
			w.imageList.afterSync = true // the sync reads the image, unless it is newer
			continue
		}
		w.refresh(engine.Key{Kind: containersv1.KindImage, ID: id})
	}
	for _, id := range w.images.missing(w.imageList.shown, v.asOf) {
		key := engine.Key{Kind: containersv1.KindImage, ID: id}
		w.report(reading{key: key, asOf: v.asOf, listed: true})
		w.gone[key] = v.asOf
	}
}

// endWaitingSync completes the full sync that waited for a list. It waits for one list
// only: others may follow each other for as long as an image is built.
func (w *watcher) endWaitingSync() {
	if v := w.imageList.syncWaiting; v != nil {
		w.imageList.syncWaiting = nil
		w.completeSync(*v)
	}
}

// releaseHeld reports an image that was held back, when a list shows it.
func (w *watcher) releaseHeld(image Listed, asOf time.Time) {
	held, ok := w.images.held[image.ID]
	if !ok || asOf.Before(held.asOf) || !image.SameAs(imagesIn(held.mirrors)) {
		return
	}
	held.shown, held.asOf = true, asOf
	w.report(held)
}

func byID(objects []Listed) map[string]Listed {
	all := make(map[string]Listed, len(objects))
	for _, object := range objects {
		all[object.ID] = object
	}
	return all
}

// shows reports whether the last list showed an image as it was read. One that was listed
// with a tag and has lost it may be hidden, and the event of the move may be on its way.
func (l *imageListing) shows(id string, mirrors []containersv1.Mirror) bool {
	image, isListed := l.shown[id]
	return l.isCurrent() && isListed && image.SameAs(imagesIn(mirrors))
}
