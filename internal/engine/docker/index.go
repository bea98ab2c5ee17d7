package docker

import (
	"slices"
	"time"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
)

// imageIndex knows which tags each image has, and which image each tag belongs to.
// Events name an image or a tag, never both.
type imageIndex struct {
	byID  map[string]*indexedImage
	byTag map[string]string
	// tagMoves are the moves of tags that events reported. A reading that is older
	// may still have the tag at its former image.
	tagMoves map[string]tagMove
	// held are the readings of images without a tag, by ID, until a list shows
	// whether the engine hides them.
	held map[string]reading
	// tagsStaleSince is when an event last reported that some tags moved, without
	// naming them.
	tagsStaleSince time.Time
}

type indexedImage struct {
	// images are what was read, one for each tag; the tag of an untagged image is
	// empty.
	images []*containersv1.Image
	asOf   time.Time
	// inspectedAt is when the image was last inspected; zero when it is known from a
	// list and earlier mirrors.
	inspectedAt time.Time
}

func (i *indexedImage) hasTag(tag string) bool {
	return slices.ContainsFunc(i.images, func(image *containersv1.Image) bool { return image.Status.RepoTag == tag })
}

// imagesIn returns the mirrors of a reading of an image.
func imagesIn(mirrors []containersv1.Mirror) []*containersv1.Image {
	images := make([]*containersv1.Image, len(mirrors))
	for i, m := range mirrors {
		images[i] = m.(*containersv1.Image)
	}
	return images
}

// hasTag reports whether an image is mirrored under a tag.
func hasTag(mirrors []containersv1.Mirror) bool {
	return len(mirrors) > 0 && mirrors[0].(*containersv1.Image).Status.RepoTag != ""
}

// isUntagged reports whether an image is known to be shown without a tag.
func (x *imageIndex) isUntagged(id string) bool {
	known := x.byID[id]
	return known != nil && len(known.images) == 1 && known.images[0].Status.RepoTag == ""
}

// imageChange is the effect of a reading on the index.
type imageChange struct {
	// gone are the tags that the image no longer has.
	gone []string
	// lostTags are the IDs of images that lost a tag: other images to this one, or
	// this one while it was read.
	lostTags []string
	// stale is set when a later reading was reported already.
	stale bool
}

func newImageIndex() imageIndex {
	return imageIndex{
		byID: map[string]*indexedImage{}, byTag: map[string]string{}, tagMoves: map[string]tagMove{},
		held: map[string]reading{},
	}
}

// update applies a reading of an image. A reading without mirrors is of an image or a
// reference that is gone.
func (x *imageIndex) update(id string, mirrors []containersv1.Mirror, asOf time.Time) imageChange {
	var change imageChange
	old := x.byID[id]
	if old != nil && asOf.Before(old.asOf) {
		return imageChange{stale: true}
	}
	if owner, ok := x.byTag[id]; ok && len(mirrors) == 0 {
		change.lostTags = append(change.lostTags, owner)
	}
	now := &indexedImage{images: imagesIn(mirrors), asOf: asOf}
	for _, image := range now.images {
		tag := image.Status.RepoTag
		if x.movedSince(id, tag, asOf) {
			change.lostTags = append(change.lostTags, id)
		}
		if owner, ok := x.byTag[tag]; ok && owner != id {
			change.lostTags = append(change.lostTags, owner)
		}
	}
	if old != nil {
		now.inspectedAt = old.inspectedAt
		for _, image := range old.images {
			if tag := image.Status.RepoTag; !now.hasTag(tag) {
				change.gone = append(change.gone, tag)
				x.removeTag(tag, id)
			}
		}
	}
	for _, image := range now.images {
		if tag := image.Status.RepoTag; tag != "" {
			x.byTag[tag] = id
		}
	}
	delete(x.byID, id)
	if len(now.images) > 0 {
		x.byID[id] = now
	}
	return change
}

// inspected notes when an image was inspected, and not only listed.
func (x *imageIndex) inspected(id string, at time.Time) {
	if img := x.byID[id]; img != nil {
		img.inspectedAt = at
	}
}

// freshImages returns the images that need no inspection, by ID: those that were
// inspected after a point in time.
func (x *imageIndex) freshImages(since time.Time) map[string][]*containersv1.Image {
	fresh := make(map[string][]*containersv1.Image, len(x.byID))
	for id, img := range x.byID {
		if img.inspectedAt.After(since) {
			fresh[id] = img.images
		}
	}
	return fresh
}

// prune removes every image that was not read since asOf, but those of keep.
func (x *imageIndex) prune(asOf time.Time, keep func(engine.Key) bool) {
	for id, img := range x.byID {
		if !img.asOf.Before(asOf) || keep(engine.Key{Kind: containersv1.KindImage, ID: id}) {
			continue
		}
		for _, image := range img.images {
			x.removeTag(image.Status.RepoTag, id)
		}
		delete(x.byID, id)
	}
}

func (x *imageIndex) removeTag(tag, id string) {
	if x.byTag[tag] == id {
		delete(x.byTag, tag)
	}
}

// missing returns the images that were read before a list began and are not in it.
func (x *imageIndex) missing(shown map[string]Listed, asOf time.Time) []string {
	var ids []string
	for id, known := range x.byID {
		if _, isShown := shown[id]; !isShown && known.asOf.Before(asOf) {
			ids = append(ids, id)
		}
	}
	for id, held := range x.held {
		if _, isShown := shown[id]; !isShown && held.asOf.Before(asOf) {
			delete(x.held, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// differing returns the images that are new in a list, or not listed as they were read.
func (x *imageIndex) differing(listed []Listed) []string {
	var ids []string
	for _, image := range listed {
		if known := x.byID[image.ID]; known == nil || !image.SameAs(known.images) {
			ids = append(ids, image.ID)
		}
	}
	slices.Sort(ids)
	return ids
}
