package engine

import (
	"time"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine/docker"
)

// Actions that move tags without an event for each tag.
const (
	actionPull = "pull"
	actionLoad = "load"
)

// move is a tag that an image got, as an event said that came in at a time.
type move struct {
	// to is the image's ID; empty when the event did not say it.
	to string
	at time.Time
}

// tagged reads the image again that lost its tag to the image of an event. The
// reading of the latter may come too late to tell: when the tag is removed or
// goes on to a third image before, nothing else says that the first has lost it.
//
// A pull names the tag and not the image, a load the image and not its tags.
func (s *session) tagged(ev docker.Event) {
	tag, id := ev.Tag, ev.ID
	switch {
	case ev.Kind != containersv1.KindImage:
		return
	case ev.Action == actionPull:
		tag, id = ev.ID, ""
	case ev.Action == actionLoad:
		s.images.shuffled = time.Now()
		s.listImages()
		return
	}
	if tag == "" {
		return
	}
	if owner, robbed := s.images.moved(tag, id, time.Now()); robbed {
		s.refresh(target{kind: containersv1.KindImage, id: owner})
	}
}

// shuffled looks again at what was read before some tags moved of which no event
// tells. One list answers for all that was only listed.
func (s *session) shuffled(v readDone, id string) {
	switch {
	case len(v.objects) == 0 || !v.asOf.Before(s.images.shuffled):
	case v.listed:
		s.listImages()
	default:
		s.refresh(target{kind: containersv1.KindImage, id: id})
	}
}

// moved takes note that a tag belongs to an image from now on, and returns the
// image that is thought to have had it.
func (x imageIndex) moved(tag, to string, at time.Time) (owner string, robbed bool) {
	x.moves[tag] = move{to: to, at: at}
	owner, known := x.byTag[tag]
	return owner, known && owner != to
}

// isOld is whether a tag may have moved since an image was read to have it.
func (x imageIndex) isOld(id, tag string, asOf time.Time) bool {
	m, moved := x.moves[tag]
	return moved && m.to != id && asOf.Before(m.at)
}

// settleMoves forgets what every reading that is still to come has seen.
func (x imageIndex) settleMoves(before time.Time) {
	for tag, m := range x.moves {
		if m.at.Before(before) {
			delete(x.moves, tag)
		}
	}
}
