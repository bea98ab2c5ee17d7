package memory

import (
	"slices"
	"strings"

	"github.com/distribution/reference"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// Deleted is one line of the answer to a removal.
type Deleted struct {
	Untagged string `json:"Untagged,omitempty"`
	Deleted  string `json:"Deleted,omitempty"`
}

// RemoveImage removes a tag or an image, as docker rmi does.
func (e *Engine) RemoveImage(ref string, force bool) error {
	_, err := e.DeleteImage(ref, force, true)
	return err
}

// DeleteImage removes a tag or an image, and returns what it removed. Without prune
// untagged parents stay, and are listed again, as with docker rmi --no-prune.
func (e *Engine) DeleteImage(ref string, force, prune bool) ([]Deleted, error) {
	defer e.lock()()
	return e.deleteImage(ref, force, prune)
}

// PruneImages removes the untagged images that nothing uses, as docker image prune
// does. The event of the prune names none of them.
func (e *Engine) PruneImages() {
	defer e.lock()()
	for _, id := range sortedKeys(e.images) {
		if img := e.images[id]; img != nil && len(img.Tags)+len(img.Digests) == 0 {
			_, _ = e.deleteImage(id, false, true)
		}
	}
	e.emit("image", "prune", "", map[string]string{"reclaimed": "0"})
}

// deleteImage follows the rules of dockerd with graph drivers: a tag goes
// alone as long as another one is left; the last one takes the image along,
// unless a container uses it.
func (e *Engine) deleteImage(ref string, force, prune bool) ([]Deleted, error) {
	img, err := e.resolveImage(ref)
	if err != nil {
		return nil, err
	}
	if err := e.imageRefusal(img, ref, force); err != nil {
		return nil, err
	}
	if img.hasIDPrefix(ref) {
		return e.deleteByID(img, force, prune)
	}
	named, err := parseReference(ref)
	if err != nil {
		return nil, err
	}
	records := []Deleted{e.untag(img, reference.FamiliarString(named))}
	if !slices.ContainsFunc(img.Tags, func(tag string) bool { return repository(tag) == repository(ref) }) && !strings.Contains(ref, "@") {
		// The digests of a repository go with its last tag.
		img.Digests = without(img.Digests, func(d string) bool { return repository(d) == repository(ref) })
	}
	if len(img.Tags)+len(img.Digests) > 0 {
		return records, nil
	}
	return e.deleteUntagged(img, records, force, prune, true)
}

// imageRefusal returns the reason why an image cannot be removed by a reference or by
// its ID, if there is one.
func (e *Engine) imageRefusal(img *Image, ref string, force bool) error {
	single := img.isSingleReference()
	if !img.hasIDPrefix(ref) {
		if user := e.userOf(img, nil); !force && single && user != nil {
			return conflict("conflict: unable to remove repository reference %q (must force) - container %s is using its referenced image %s",
				ref, short(user.ID), short(img.ID))
		}
		return nil
	}
	many := len(img.Tags)+len(img.Digests) > 0 && !single
	if err := e.deleteConflict(img, force || many); err != nil {
		return err
	}
	if many && !force {
		return conflict("conflict: unable to delete %s (must be forced) - image is referenced in multiple repositories", short(img.ID))
	}
	return nil
}

// hasIDPrefix reports whether a reference is the ID of the image, or begins it.
func (img *Image) hasIDPrefix(ref string) bool {
	return strings.HasPrefix(img.ID, ref) || strings.HasPrefix(strings.TrimPrefix(img.ID, "sha256:"), ref)
}

func (e *Engine) deleteByID(img *Image, force, prune bool) ([]Deleted, error) {
	var records []Deleted
	for len(img.Tags) > 0 {
		records = append(records, e.untag(img, img.Tags[0]))
	}
	for len(img.Digests) > 0 {
		records = append(records, e.untag(img, img.Digests[0]))
	}
	return e.deleteUntagged(img, records, force, prune, false)
}

// isSingleReference reports whether an image has one tag at most, and references of
// one repository.
func (img *Image) isSingleReference() bool {
	all := slices.Concat(img.Tags, img.Digests)
	same := func(ref string) bool { return repository(ref) == repository(all[0]) }
	return len(all) > 0 && len(img.Tags) <= 1 && !slices.ContainsFunc(all, func(ref string) bool { return !same(ref) })
}

// repository is a reference without its tag or digest.
func repository(ref string) string {
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return ref
	}
	return named.Name()
}

// deleteUntagged deletes an image and, with prune, the parents that are left
// without a use. A quiet conflict leaves the image where it is.
func (e *Engine) deleteUntagged(img *Image, records []Deleted, force, prune, quiet bool) ([]Deleted, error) {
	if err := e.deleteConflict(img, force); err != nil {
		if quiet {
			return records, nil
		}
		return records, err
	}
	delete(e.images, img.ID)
	delete(e.children, img.ID)
	if img.Parent != "" {
		e.children[img.Parent]--
	}
	e.changed(containersv1.KindImage, img.ID)
	e.changed(containersv1.KindImage, img.Parent)
	e.emit("image", "delete", img.ID, map[string]string{"name": img.ID})
	records = append(records, Deleted{Deleted: img.ID})
	parent, ok := e.images[img.Parent]
	if !prune || !ok || len(parent.Tags)+len(parent.Digests) > 0 {
		return records, nil
	}
	return e.deleteUntagged(parent, records, false, true, true)
}

func (e *Engine) untag(img *Image, tag string) Deleted {
	if strings.Contains(tag, "@") {
		img.Digests = without(img.Digests, func(d string) bool { return d == tag })
	} else {
		e.dropTag(img.ID, tag)
	}
	e.emit("image", "untag", img.ID, with(img.Labels, "name", img.ID))
	return Deleted{Untagged: tag}
}

// deleteConflict returns the reason why an image cannot be deleted, if there is one.
func (e *Engine) deleteConflict(img *Image, force bool) error {
	if e.children[img.ID] > 0 {
		return conflict("conflict: unable to delete %s (cannot be forced) - image has dependent child images", short(img.ID))
	}
	running := func(c *Container) bool { return c.Running }
	if user := e.userOf(img, running); user != nil {
		return conflict("conflict: unable to delete %s (cannot be forced) - image is being used by running container %s", short(img.ID), short(user.ID))
	}
	if user := e.userOf(img, nil); user != nil && !force {
		return conflict("conflict: unable to delete %s (must be forced) - image is being used by stopped container %s", short(img.ID), short(user.ID))
	}
	return nil
}

// userOf returns a container of the image, nil if there is none.
func (e *Engine) userOf(img *Image, which func(*Container) bool) *Container {
	return e.firstContainer(func(c *Container) bool { return c.ImageID == img.ID && (which == nil || which(c)) })
}

// short is an ID as dockerd prints it.
func short(id string) string {
	id = strings.TrimPrefix(id, "sha256:")
	return id[:min(12, len(id))]
}
