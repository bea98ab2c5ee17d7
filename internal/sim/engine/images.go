package engine

import (
	"maps"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// image is one image; its tags are sorted.
type image struct {
	id string
	// parent is the ID of the image that this one was built on, or empty.
	parent  string
	tags    []string
	created *metav1.MicroTime
}

// mirrors has one for each tag, or a single one when there is none.
func (i *image) mirrors() []*containersv1.Image {
	tags := i.tags
	if len(tags) == 0 {
		tags = []string{""}
	}
	var out []*containersv1.Image
	for _, tag := range tags {
		img := &containersv1.Image{}
		img.Name = containersv1.ImageResourceName(i.id, tag)
		img.Status = containersv1.ImageStatus{
			ID: i.id, RepoTag: tag, Namespace: containersv1.MobyNamespace,
			CreatedAt: i.created, Architecture: "amd64", OS: "linux", Size: int64(len(i.id)),
		}
		out = append(out, img)
	}
	return out
}

// shown are the mirrors of an image: none while the engine hides it, because it has
// no tag and another image is built on it.
func (m *Model) shown(img *image) []*containersv1.Image {
	if len(img.tags) == 0 && m.hasChildren(img.id) {
		return nil
	}
	return img.mirrors()
}

func (m *Model) hasChildren(id string) bool {
	for _, other := range m.images {
		if other.parent == id {
			return true
		}
	}
	return false
}

// addChild adds an image that is built on another one.
func (m *Model) addChild(parent string) *image {
	img := &image{id: "sha256:" + m.id("image"), parent: parent, created: m.now()}
	m.images[img.id] = img
	m.stampImage(img.id)
	m.stampImage(parent)
	return img
}

// Commit is docker commit. Without a tag no event of the image reports it.
func (m *Model) Commit(containerID, tag string) (err error) {
	m.with(func() {
		c := m.containers[containerID]
		if c == nil {
			err = notFound("No such container: %s", containerID)
			return
		}
		img := m.addChild(c.imageID)
		if tag != "" {
			m.moveTag(img, tag)
			m.emitTag(img.id, tag)
			m.stampImage(img.id)
			m.stampImage(img.parent)
		}
		m.emit(containersv1.KindImage, img.id, "commit")
	})
	return err
}

// Build is a step of a classic docker build: the image has no event, the step's
// container has.
func (m *Model) Build(ref string) (err error) {
	m.with(func() {
		base := m.resolve(ref)
		if base == nil {
			err = notFound("No such image: %s", ref)
			return
		}
		step := m.id("step")
		m.emit(containersv1.KindContainer, step, "create")
		m.addChild(base.id)
		m.emitStep(step)
	})
	return err
}

// resolve finds an image by ID or tag.
func (m *Model) resolve(ref string) *image {
	if img := m.images[ref]; img != nil {
		return img
	}
	return m.images[m.tags[ref]]
}

// AddImage is docker import, build or, with an event that carries the tag in
// place of the ID, pull.
func (m *Model) AddImage(pulled bool, tags ...string) (id string) {
	m.with(func() {
		img := &image{id: "sha256:" + m.id("image"), created: m.now()}
		m.images[img.id] = img
		id = img.id
		defer m.stampImage(id)
		for _, tag := range tags {
			m.moveTag(img, tag)
			if !pulled {
				m.emitTag(id, tag)
			}
		}
		if pulled && len(tags) > 0 {
			m.emit(containersv1.KindImage, tags[0], "pull")
			return
		}
		m.emit(containersv1.KindImage, id, "import")
	})
	return id
}

// ImageRefs are the tags and the IDs of all images, sorted.
func (m *Model) ImageRefs() (refs []string) {
	m.with(func() {
		refs = slices.Sorted(maps.Keys(m.images))
		refs = append(refs, slices.Sorted(maps.Keys(m.tags))...)
	})
	return refs
}

// Tag is docker tag. The image that loses the tag to another one has no event.
func (m *Model) Tag(ref, tag string) (err error) {
	m.with(func() {
		img := m.resolve(ref)
		if img == nil {
			err = notFound("No such image: %s", ref)
			return
		}
		m.moveTag(img, tag)
		m.emitTag(img.id, tag)
		m.stampImage(img.id)
	})
	return err
}

func (m *Model) moveTag(img *image, tag string) {
	if old := m.images[m.tags[tag]]; old != nil {
		old.tags = without(old.tags, tag)
		m.stampImage(old.id)
	}
	m.tags[tag] = img.id
	img.tags = append(img.tags, tag)
	slices.Sort(img.tags)
}

func without(tags []string, tag string) []string {
	return slices.DeleteFunc(slices.Clone(tags), func(t string) bool { return t == tag })
}

// RemoveImage is docker rmi. A forced one of a tag in use leaves the image
// dangling.
func (m *Model) RemoveImage(ref string, force bool) (err error) {
	m.with(func() { err = m.removeImage(ref, force, true) })
	return err
}

// RemoveImageOnly is docker rmi --no-prune: parents without a tag stay, and show.
func (m *Model) RemoveImageOnly(ref string) (err error) {
	m.with(func() { err = m.removeImage(ref, false, false) })
	return err
}

func (m *Model) removeImage(ref string, force, prune bool) error {
	img := m.resolve(ref)
	if img == nil {
		return notFound("No such image: %s", ref)
	}
	user := m.userOf(img)
	byID := img.id == ref
	switch {
	case byID && m.hasChildren(img.id):
		return conflict("conflict: unable to delete %s: image has dependent child images", ref)
	case byID && len(img.tags) > 1 && !force:
		return conflict("conflict: unable to delete %s: image is referenced in multiple repositories", ref)
	case user != nil && (byID || len(img.tags) == 1) && (!force || byID):
		return conflict("conflict: unable to remove %s: container %s is using it", ref, user.id)
	}
	tags := []string{ref}
	if byID {
		tags = slices.Clone(img.tags)
	}
	for _, tag := range tags {
		img.tags = without(img.tags, tag)
		delete(m.tags, tag)
		m.emit(containersv1.KindImage, img.id, "untag")
	}
	m.stampImage(img.id)
	m.dropUntagged(img, prune)
	return nil
}

// dropUntagged deletes an image that nothing needs, and its parents with prune.
func (m *Model) dropUntagged(img *image, prune bool) {
	for img != nil && len(img.tags) == 0 && m.userOf(img) == nil && !m.hasChildren(img.id) {
		delete(m.images, img.id)
		m.emit(containersv1.KindImage, img.id, "delete")
		m.stampImage(img.id)
		m.stampImage(img.parent)
		img = m.images[img.parent]
		if !prune {
			return
		}
	}
}

func (m *Model) userOf(img *image) *container {
	for _, id := range slices.Sorted(maps.Keys(m.containers)) {
		if c := m.containers[id]; c.imageID == img.id {
			return c
		}
	}
	return nil
}
