package engine

import (
	"time"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/dockerengine"
)

// move is a tag that an image got, as an event said that came in at a time.
type move struct {
	to string
	at time.Time
}

// tagged reads the image again that lost its tag to the image of an event. The
// reading of the latter may come too late to tell: when the tag is removed or
// goes on to a third image before, nothing else says that the first has lost it.
func (s *session) tagged(ev dockerengine.Event) {
	if ev.Tag == "" {
		return
	}
	if owner, robbed := s.images.moved(ev.Tag, ev.ID, time.Now()); robbed {
		s.refresh(target{kind: containersv1.KindImage, id: owner})
	}
}

// moved takes note that a tag belongs to an image from now on, and returns the
// image that is thought to have had it.
func (x imageIndex) moved(tag, to string, at time.Time) (owner string, robbed bool) {
	x.moves[tag] = move{to: to, at: at}
	owner, known := x.byTag[tag]
	return owner, known && owner != to
}

// settleMoves forgets what every reading that is still to come has seen.
func (x imageIndex) settleMoves(before time.Time) {
	for tag, m := range x.moves {
		if m.at.Before(before) {
			delete(x.moves, tag)
		}
	}
}
