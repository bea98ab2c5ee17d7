package dockersim

import (
	"slices"
	"strings"

	"github.com/distribution/reference"
)

// deleted is one line of the answer to a delete.
type deleted struct {
	Untagged string `json:"Untagged,omitempty"`
	Deleted  string `json:"Deleted,omitempty"`
}

// deleteImage follows the rules of dockerd with graph drivers: a tag goes
// alone as long as another one is left; the last one takes the image along,
// unless a container uses it.
func (e *Engine) deleteImage(ref string, force, prune bool) ([]deleted, error) {
	img, err := e.resolveImage(ref)
	if err != nil {
		return nil, err
	}
	if strings.HasPrefix(img.id, ref) || strings.HasPrefix(strings.TrimPrefix(img.id, "sha256:"), ref) {
		return e.deleteByID(img, force, prune)
	}
	if user := e.userOf(img, nil); !force && img.isSingleReference() && user != nil {
		return nil, conflict("conflict: unable to remove repository reference %q (must force) - container %s is using its referenced image %s",
			ref, short(user.id), short(img.id))
	}
	named, err := parseReference(ref)
	if err != nil {
		return nil, err
	}
	records := []deleted{e.untag(img, reference.FamiliarString(named))}
	if !slices.ContainsFunc(img.tags, func(tag string) bool { return repository(tag) == repository(ref) }) && !strings.Contains(ref, "@") {
		// The digests of a repository go with its last tag.
		img.spec.Digests = slices.DeleteFunc(img.spec.Digests, func(d string) bool { return repository(d) == repository(ref) })
	}
	if len(img.tags)+len(img.spec.Digests) > 0 {
		return records, nil
	}
	return e.deleteUntagged(img, records, force, prune, true)
}

func (e *Engine) deleteByID(img *image, force, prune bool) ([]deleted, error) {
	many := len(img.tags)+len(img.spec.Digests) > 0 && !img.isSingleReference()
	if err := e.deleteConflict(img, force || many); err != nil {
		return nil, err
	}
	if many && !force {
		return nil, conflict("conflict: unable to delete %s (must be forced) - image is referenced in multiple repositories", short(img.id))
	}
	var records []deleted
	for len(img.tags) > 0 {
		records = append(records, e.untag(img, img.tags[0]))
	}
	for len(img.spec.Digests) > 0 {
		records = append(records, e.untag(img, img.spec.Digests[0]))
	}
	return e.deleteUntagged(img, records, force, prune, false)
}

// isSingleReference reports whether an image has one tag at most, and references of
// one repository.
func (img *image) isSingleReference() bool {
	all := slices.Concat(img.tags, img.spec.Digests)
	same := func(ref string) bool { return repository(ref) == repository(all[0]) }
	return len(all) > 0 && len(img.tags) <= 1 && !slices.ContainsFunc(all, func(ref string) bool { return !same(ref) })
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
func (e *Engine) deleteUntagged(img *image, records []deleted, force, prune, quiet bool) ([]deleted, error) {
	if err := e.deleteConflict(img, force); err != nil {
		if quiet {
			return records, nil
		}
		return records, err
	}
	delete(e.images, img.id)
	delete(e.children, img.id)
	if img.spec.Parent != "" {
		e.children[img.spec.Parent]--
	}
	e.emit("image", "delete", img.id, map[string]string{"name": img.id})
	records = append(records, deleted{Deleted: img.id})
	parent, ok := e.images[img.spec.Parent]
	if !prune || !ok || len(parent.tags)+len(parent.spec.Digests) > 0 {
		return records, nil
	}
	return e.deleteUntagged(parent, records, false, true, true)
}

func (e *Engine) untag(img *image, tag string) deleted {
	if strings.Contains(tag, "@") {
		img.spec.Digests = slices.DeleteFunc(img.spec.Digests, func(d string) bool { return d == tag })
	} else {
		e.dropTag(img.id, tag)
	}
	e.emit("image", "untag", img.id, with(img.spec.Labels, "name", img.id))
	return deleted{Untagged: tag}
}

// deleteConflict says why an image cannot go.
func (e *Engine) deleteConflict(img *image, force bool) error {
	if e.children[img.id] > 0 {
		return conflict("conflict: unable to delete %s (cannot be forced) - image has dependent child images", short(img.id))
	}
	running := func(c *container) bool { return c.running }
	if user := e.userOf(img, running); user != nil {
		return conflict("conflict: unable to delete %s (cannot be forced) - image is being used by running container %s", short(img.id), short(user.id))
	}
	if user := e.userOf(img, nil); user != nil && !force {
		return conflict("conflict: unable to delete %s (must be forced) - image is being used by stopped container %s", short(img.id), short(user.id))
	}
	return nil
}

// userOf returns a container of the image, nil if there is none.
func (e *Engine) userOf(img *image, which func(*container) bool) *container {
	for _, c := range e.containers {
		if c.imageID == img.id && (which == nil || which(c)) {
			return c
		}
	}
	return nil
}

// short is an ID as dockerd prints it.
func short(id string) string {
	id = strings.TrimPrefix(id, "sha256:")
	return id[:min(12, len(id))]
}
