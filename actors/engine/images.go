package engine

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// imageIndex knows which mirrors each image has, one for each tag, and which
// image each tag belongs to. Events name an image or a tag, never both.
type imageIndex struct {
	byID  map[string]*indexedImage
	byTag map[string]string
	// moves are the tags that events told of; a reading that is older may say
	// that they are where they were before.
	moves map[string]move
	// unshown are the readings of images without a tag, by ID, until a list shows
	// whether the engine hides them.
	unshown map[string]readDone
	// shuffled is when an event last told that some tags have moved, and not which.
	shuffled time.Time
}

type indexedImage struct {
	// tags by the name of the mirror; the tag of an untagged image is empty.
	tags map[string]string
	asOf time.Time
	// objects are what was read. inspected is when the engine was last asked about
	// the image itself; zero for what a list and the mirrors of before said.
	objects   []*containersv1.Image
	inspected time.Time
}

// hasTag reports whether an image is mirrored under a tag.
func hasTag(objects []containersv1.Mirror) bool {
	return len(objects) > 0 && objects[0].(*containersv1.Image).Status.RepoTag != ""
}

// isUntagged reports whether an image is known to be shown without a tag.
func (x imageIndex) isUntagged(id string) bool {
	known := x.byID[id]
	return known != nil && len(known.objects) == 1 && known.objects[0].Status.RepoTag == ""
}

// imageChange is what an update brought.
type imageChange struct {
	// gone are the names of mirrors that the image has no more.
	gone []string
	// robbed are the IDs of images that have lost a tag: others to this one, or
	// this one while it was read.
	robbed []string
	// stale is set when a later reading was told already.
	stale bool
}

func newImageIndex() imageIndex {
	return imageIndex{
		byID: map[string]*indexedImage{}, byTag: map[string]string{}, moves: map[string]move{},
		unshown: map[string]readDone{},
	}
}

// update takes a reading of an image, or of a reference that is not there any
// more, which has no objects.
func (x imageIndex) update(id string, objects []containersv1.Mirror, asOf time.Time) imageChange {
	var change imageChange
	old := x.byID[id]
	if old != nil && asOf.Before(old.asOf) {
		return imageChange{stale: true}
	}
	if len(objects) == 0 {
		if owner, ok := x.byTag[id]; ok {
			change.robbed = append(change.robbed, owner)
		}
	}
	tags := map[string]string{}
	images := make([]*containersv1.Image, 0, len(objects))
	for _, o := range objects {
		images = append(images, o.(*containersv1.Image))
		tag := images[len(images)-1].Status.RepoTag
		tags[o.GetName()] = tag
		if x.isOld(id, tag, asOf) {
			change.robbed = append(change.robbed, id)
		}
		if owner, ok := x.byTag[tag]; ok && tag != "" && owner != id {
			change.robbed = append(change.robbed, owner)
		}
	}
	if old != nil {
		for name, tag := range old.tags {
			if _, still := tags[name]; !still {
				change.gone = append(change.gone, name)
				x.forgetTag(tag, id)
			}
		}
	}
	for _, tag := range tags {
		if tag != "" {
			x.byTag[tag] = id
		}
	}
	delete(x.byID, id)
	if len(tags) > 0 {
		x.byID[id] = &indexedImage{tags: tags, asOf: asOf, objects: images}
		if old != nil {
			x.byID[id].inspected = old.inspected
		}
	}
	return change
}

// inspected takes note of when an image was inspected, and not only listed.
func (x imageIndex) inspected(id string, at time.Time) {
	if img := x.byID[id]; img != nil {
		img.inspected = at
	}
}

// believed are the images that need no inspection now, by ID: those that were
// inspected since a point in time.
func (x imageIndex) believed(since time.Time) map[string][]*containersv1.Image {
	known := make(map[string][]*containersv1.Image, len(x.byID))
	for id, img := range x.byID {
		if img.inspected.After(since) {
			known[id] = img.objects
		}
	}
	return known
}

// prune forgets every image that was not read since asOf.
func (x imageIndex) prune(asOf time.Time, keep map[string]bool) {
	for id, img := range x.byID {
		if !img.asOf.Before(asOf) || keep[id] {
			continue
		}
		for _, tag := range img.tags {
			x.forgetTag(tag, id)
		}
		delete(x.byID, id)
	}
}

func (x imageIndex) forgetTag(tag, id string) {
	if x.byTag[tag] == id {
		delete(x.byTag, tag)
	}
}

// tellImage sends every tag that an image has, and those that it has no more.
func (s *session) tellImage(c actor.Context, v readDone) {
	id := v.target.id
	if len(v.objects) > 0 {
		id = v.objects[0].(*containersv1.Image).Status.ID
	}
	t := target{kind: containersv1.KindImage, id: id}
	if v.asOf.Before(s.gone[t]) {
		return
	}
	v = s.hold(t, v)
	change := s.images.update(id, v.objects, v.asOf)
	if change.stale {
		return
	}
	s.shuffled(v, id)
	if !v.listed {
		s.images.inspected(id, v.asOf)
	}
	for _, name := range change.gone {
		c.Send(c.Parent(), messages.ObjectGone{Kind: containersv1.KindImage, Name: name, AsOf: v.asOf})
	}
	for _, o := range v.objects {
		c.Send(c.Parent(), messages.ObjectSeen{Object: o, AsOf: v.asOf})
	}
	// The engine sends an event of the image that got a tag, not of the one that
	// lost it.
	for _, other := range change.robbed {
		s.refresh(target{kind: containersv1.KindImage, id: other})
	}
}

// hold keeps back the reading of an image without a tag until a list shows it: an
// inspect finds also what the engine hides because another image is built on it.
func (s *session) hold(t target, v readDone) readDone {
	delete(s.images.unshown, t.id)
	shown := v.shown || v.listed || s.images.isUntagged(t.id) || s.imageList.idle() && s.imageList.shown[t.id]
	if len(v.objects) == 0 || hasTag(v.objects) || shown {
		return v
	}
	v.target = t
	s.images.unshown[t.id] = v
	s.gone[t] = v.asOf
	s.listImages()
	v.objects = nil
	return v
}
