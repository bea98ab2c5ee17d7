package engine

import (
	"time"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// imageIndex knows which mirrors each image has, one for each tag, and which
// image each tag belongs to. Events name an image or a tag, never both.
type imageIndex struct {
	byID  map[string]*indexedImage
	byTag map[string]string
	// moves are the tags that events told of; a reading that is older may say
	// that they are where they were before.
	moves map[string]move
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
	return imageIndex{byID: map[string]*indexedImage{}, byTag: map[string]string{}, moves: map[string]move{}}
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
