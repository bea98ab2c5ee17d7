package memory

import (
	"slices"
	"strings"
	"time"

	"github.com/distribution/reference"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// ImageSpec describes an image to create. The zero value is an untagged image of
// linux/amd64.
type ImageSpec struct {
	// Tags, such as busybox:1; latest is the default.
	Tags []string
	// Digests are further references, such as busybox@sha256:….
	Digests []string
	// Labels of the image.
	Labels map[string]string
	// Architecture, amd64 by default.
	Architecture string
	// OS, linux by default.
	OS string
	// Size in bytes.
	Size int64
	// Parent is the ID of the image this one was built on, or empty.
	Parent string
	// Created is now by default.
	Created time.Time
}

// Image is an image as it was at one moment.
type Image struct {
	ID string
	// ImageSpec has the present tags, sorted, and digests.
	ImageSpec
	// Hidden is set while the image has no tag and another image is built on it: a
	// list leaves it out.
	Hidden bool
}

// AddImage adds an image, with events as docker import sends them, and returns its
// ID. A tag that another image had moves.
func (e *Engine) AddImage(tags ...string) string { return e.AddImageSpec(ImageSpec{Tags: tags}) }

// AddImageSpec adds an image and returns its ID.
func (e *Engine) AddImageSpec(spec ImageSpec) string {
	id, err := e.ImportImage(spec)
	must(err)
	return id
}

// ImportImage adds an image, as docker import does, and returns its ID.
func (e *Engine) ImportImage(spec ImageSpec) (id string, err error) {
	defer e.lock()()
	if id, err = e.createImage(spec); err == nil {
		e.emit("image", "import", id, with(spec.Labels, "name", id))
	}
	return id, err
}

// Pull adds an image, as docker pull does: with one event, which carries the
// reference in place of the ID.
func (e *Engine) Pull(ref string) string {
	id, err := e.PullImage(ref)
	must(err)
	return id
}

// PullImage adds an image, as docker pull does, and returns its ID.
func (e *Engine) PullImage(ref string) (id string, err error) {
	named, err := parseReference(ref)
	if err != nil {
		return "", err
	}
	defer e.lock()()
	id = e.newImage(ImageSpec{})
	e.moveTag(id, reference.FamiliarString(named))
	e.emit("image", "pull", reference.FamiliarString(named), map[string]string{"name": reference.FamiliarName(named)})
	return id, nil
}

// Load adds an image, as docker load does: with one event, which names no tag.
func (e *Engine) Load(tags ...string) string {
	defer e.lock()()
	id := e.newImage(ImageSpec{})
	for _, tag := range tags {
		named, err := parseReference(tag)
		must(err)
		e.moveTag(id, reference.FamiliarString(named))
	}
	e.emit("image", "load", id, map[string]string{"name": id})
	return id
}

// Build adds an untagged image, as a step of a classic docker build does: the image
// has no event, the container of the step has.
func (e *Engine) Build(base string) string {
	defer e.lock()()
	img, err := e.resolveImage(base)
	must(err)
	step := e.nextID("container")
	e.emit("container", "create", step, map[string]string{"image": img.ID})
	id := e.newImage(ImageSpec{Parent: img.ID})
	e.emit("container", "destroy", step, map[string]string{"image": img.ID})
	return id
}

// Tag gives an image another tag, as docker tag does.
func (e *Engine) Tag(image, tag string) error {
	defer e.lock()()
	return e.tagImage(image, tag)
}

// ImageTags returns the tags of an image, sorted; nil if there is no such image.
func (e *Engine) ImageTags(ref string) []string {
	img, err := e.Image(ref)
	if err != nil {
		return nil
	}
	return img.Tags
}

// ImageIDs returns the IDs of all images, sorted.
func (e *Engine) ImageIDs() []string {
	defer e.lock()()
	return sortedKeys(e.images)
}

// Images returns all images, hidden ones too, sorted by ID.
func (e *Engine) Images() []Image {
	defer e.lock()()
	out := make([]Image, 0, len(e.images))
	for _, id := range sortedKeys(e.images) {
		out = append(out, e.snapshot(e.images[id]))
	}
	return out
}

// Image returns one image.
func (e *Engine) Image(ref string) (Image, error) {
	defer e.lock()()
	img, err := e.resolveImage(ref)
	if err != nil {
		return Image{}, err
	}
	return e.snapshot(img), nil
}

// snapshot returns a copy that shares nothing that changes: tags and digests are
// replaced, never changed in place.
func (e *Engine) snapshot(img *Image) Image {
	out := *img
	out.Hidden = len(img.Tags) == 0 && e.children[img.ID] > 0
	return out
}

func (e *Engine) createImage(spec ImageSpec) (string, error) {
	for _, tag := range spec.Tags {
		if _, err := parseReference(tag); err != nil {
			return "", err
		}
	}
	id := e.newImage(spec)
	for _, tag := range spec.Tags {
		if err := e.tagImage(id, tag); err != nil {
			return "", err
		}
	}
	return id, nil
}

func (e *Engine) newImage(spec ImageSpec) string {
	id := "sha256:" + e.nextID("image")
	e.addImage(id, spec)
	return id
}

func (e *Engine) addImage(id string, spec ImageSpec) {
	if spec.Architecture == "" {
		spec.Architecture = "amd64"
	}
	if spec.OS == "" {
		spec.OS = "linux"
	}
	if spec.Created.IsZero() {
		spec.Created = e.now()
	}
	spec.Tags = nil
	e.images[id] = &Image{ID: id, ImageSpec: spec}
	e.changed(containersv1.KindImage, id)
	if spec.Parent != "" {
		e.children[spec.Parent]++
		e.changed(containersv1.KindImage, spec.Parent)
	}
}

func (e *Engine) tagImage(ref, tag string) error {
	img, err := e.resolveImage(ref)
	if err != nil {
		return err
	}
	named, err := parseReference(tag)
	if err != nil {
		return err
	}
	familiar := reference.FamiliarString(named)
	e.moveTag(img.ID, familiar)
	e.emit("image", "tag", img.ID, with(img.Labels, "name", familiar))
	return nil
}

// moveTag moves a tag to an image. The image that had the tag has no event.
func (e *Engine) moveTag(id, tag string) {
	if old, ok := e.tags[tag]; ok {
		e.dropTag(old, tag)
	}
	e.tags[tag] = id
	img := e.images[id]
	img.Tags = slices.Sorted(slices.Values(append(slices.Clone(img.Tags), tag)))
	e.changed(containersv1.KindImage, id)
}

func (e *Engine) dropTag(id, tag string) {
	img := e.images[id]
	img.Tags = without(img.Tags, func(t string) bool { return t == tag })
	delete(e.tags, tag)
	e.changed(containersv1.KindImage, id)
}

// without returns a copy of references that leaves some of them out.
func without(refs []string, leave func(string) bool) []string {
	return slices.DeleteFunc(slices.Clone(refs), leave)
}

// parseReference reads a tag as dockerd does.
func parseReference(ref string) (reference.Named, error) {
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return nil, systemError("%v", err)
	}
	return reference.TagNameOnly(named), nil
}

// resolveImage finds an image by ID, tag, or the beginning of an ID.
func (e *Engine) resolveImage(ref string) (*Image, error) {
	if img, ok := e.images[ref]; ok {
		return img, nil
	}
	missing := ref
	if named, err := parseReference(ref); err == nil {
		missing = reference.FamiliarString(named)
		if id, ok := e.tags[missing]; ok {
			return e.images[id], nil
		}
	}
	for _, img := range e.images {
		if slices.Contains(img.Digests, ref) {
			return img, nil
		}
	}
	if img := e.imageByPrefix(strings.TrimPrefix(ref, "sha256:")); img != nil {
		return img, nil
	}
	if strings.HasPrefix(ref, "sha256:") {
		missing = ref
	}
	return nil, notFound("No such image: %s", missing)
}

func (e *Engine) imageByPrefix(prefix string) *Image {
	if prefix == "" || len(prefix) == 64 || strings.Trim(prefix, "0123456789abcdef") != "" {
		return nil
	}
	var found *Image
	for id, img := range e.images {
		if strings.HasPrefix(id, "sha256:"+prefix) {
			if found != nil {
				return nil
			}
			found = img
		}
	}
	return found
}
