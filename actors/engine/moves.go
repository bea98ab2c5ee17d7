package engine

import (
	"context"
	"slices"
	"time"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/dockerengine"
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

// relisted is what the engine lists after tags moved of which no event tells.
type relisted struct {
	images []dockerengine.ListedImage
	err    error
}

// tagged reads the image again that lost its tag to the image of an event. The
// reading of the latter may come too late to tell: when the tag is removed or
// goes on to a third image before, nothing else says that the first has lost it.
//
// A pull names the tag and not the image, a load the image and not its tags.
func (s *session) tagged(ev dockerengine.Event) {
	tag, id := ev.Tag, ev.ID
	switch {
	case ev.Kind != containersv1.KindImage:
		return
	case ev.Action == actionPull:
		tag, id = ev.ID, ""
	case ev.Action == actionLoad:
		s.images.shuffled = time.Now()
		s.relist()
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
		s.relist()
	default:
		s.refresh(target{kind: containersv1.KindImage, id: id})
	}
}

// relist lists the images, once more if it is being done.
func (s *session) relist() {
	s.relistAgain = s.relisting
	if s.relisting {
		return
	}
	s.relisting = true
	s.tasks.Go(readTimeout, func(ctx context.Context) any {
		images, err := s.engine.ListImages(ctx)
		return relisted{images: images, err: err}
	})
}

// relisted reads the images again that are not what the list says. When there is
// none the next full sync makes up for it.
func (s *session) relisted(v relisted) {
	s.relisting = false
	if s.relistAgain {
		s.relist()
	}
	if v.err != nil {
		s.logger.Warn("images could not be listed", "err", v.err)
		return
	}
	for _, id := range s.images.changed(v.images) {
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

// changed are the images that are not any more what they are in a list.
func (x imageIndex) changed(list []dockerengine.ListedImage) (ids []string) {
	listed := make(map[string]dockerengine.ListedImage, len(list))
	for _, image := range list {
		listed[image.ID] = image
	}
	for id, known := range x.byID {
		if image, there := listed[id]; !there || !image.SameAs(known.objects) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// settleMoves forgets what every reading that is still to come has seen.
func (x imageIndex) settleMoves(before time.Time) {
	for tag, m := range x.moves {
		if m.at.Before(before) {
			delete(x.moves, tag)
		}
	}
}
