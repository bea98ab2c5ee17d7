package docker

import (
	"time"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
)

// Actions that move tags without an event for each tag.
const (
	actionPull = "pull"
	actionLoad = "load"
)

// tagMove is an event that gave a tag to an image.
type tagMove struct {
	// to is the image's ID; empty when the event did not name it.
	to string
	at time.Time
}

// reportImage reports every tag that an image has, and those that it no longer has.
func (w *watcher) reportImage(v reading) {
	id := v.key.ID
	if len(v.mirrors) > 0 { // the key may have a reference
		id = v.mirrors[0].(*containersv1.Image).Status.ID
	}
	key := engine.Key{Kind: containersv1.KindImage, ID: id}
	if v.asOf.Before(w.gone[key]) {
		return
	}
	v = w.holdUntagged(key, v)
	change := w.images.update(id, v.mirrors, v.asOf)
	if change.stale {
		return
	}
	w.rereadStaleTags(v, key)
	if !v.listed {
		w.images.inspected(id, v.asOf)
	}
	for _, tag := range change.gone {
		w.sink(engine.Gone{Key: engine.Key{Kind: containersv1.KindImage, ID: id, Tag: tag}, AsOf: v.asOf})
	}
	for _, m := range v.mirrors {
		w.sink(engine.Object{Mirror: m, AsOf: v.asOf})
	}
	// The engine sends an event of the image that got a tag, not of the one that
	// lost it.
	for _, other := range change.lostTags {
		w.refresh(engine.Key{Kind: containersv1.KindImage, ID: other})
	}
}

// holdUntagged holds the reading of an image without a tag until a list shows it: an
// inspection also finds what the engine hides because another image is built on it.
func (w *watcher) holdUntagged(key engine.Key, v reading) reading {
	delete(w.images.held, key.ID)
	shown := v.shown || v.listed || w.images.isUntagged(key.ID) || w.imageList.shows(key.ID, v.mirrors)
	if len(v.mirrors) == 0 || hasTag(v.mirrors) || shown {
		return v
	}
	v.key = key
	w.images.held[key.ID] = v
	w.gone[key] = v.asOf
	w.imageList.start()
	v.mirrors = nil
	return v
}

// tagChanged reads the image that lost its tag to the image of an event. A reading of
// the latter may be too late to show the move: when the tag was removed meanwhile, or
// moved to a third image, nothing else shows that the first image lost it.
//
// A pull names the tag and not the image, a load the image and not its tags.
func (w *watcher) tagChanged(ev Event) {
	tag, id := ev.Tag, ev.ID
	switch ev.Action {
	case actionPull:
		tag, id = ev.ID, ""
	case actionLoad:
		w.images.tagsStaleSince = time.Now()
		w.imageList.start()
		return
	}
	if tag == "" {
		return
	}
	if owner, lost := w.images.moved(tag, id, time.Now()); lost {
		w.refresh(engine.Key{Kind: containersv1.KindImage, ID: owner})
	}
}

// rereadStaleTags reads again what was read before tags moved that no event named.
// One list is enough for all that was only listed.
func (w *watcher) rereadStaleTags(v reading, key engine.Key) {
	switch {
	case len(v.mirrors) == 0 || !v.asOf.Before(w.images.tagsStaleSince):
	case v.listed:
		w.imageList.start()
	default:
		w.refresh(key)
	}
}

// moved notes that a tag belongs to an image from now on, and returns the image that
// is known to have had it.
func (x *imageIndex) moved(tag, to string, at time.Time) (owner string, lost bool) {
	x.tagMoves[tag] = tagMove{to: to, at: at}
	owner, known := x.byTag[tag]
	return owner, known && owner != to
}

// movedSince reports whether a tag may have moved since an image was read with it.
func (x *imageIndex) movedSince(id, tag string, asOf time.Time) bool {
	m, moved := x.tagMoves[tag]
	return moved && m.to != id && asOf.Before(m.at)
}

// pruneMoves removes the moves that every reading still to come has seen.
func (x *imageIndex) pruneMoves(before time.Time) {
	for tag, m := range x.tagMoves {
		if m.at.Before(before) {
			delete(x.tagMoves, tag)
		}
	}
}
