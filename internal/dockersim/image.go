package dockersim

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/distribution/reference"
)

// ImageSpec says what an image is like. The zero value is an untagged image of
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

// image is one image of the model; its tags are sorted.
type image struct {
	id   string
	spec ImageSpec
	tags []string
}

// AddImage adds an image, with events as docker import sends them, and returns
// its ID. A tag that another image had moves. It panics on a tag that an
// engine would refuse.
func (e *Engine) AddImage(tags ...string) string { return e.AddImageSpec(ImageSpec{Tags: tags}) }

// AddImageSpec is AddImage with more to say.
func (e *Engine) AddImageSpec(spec ImageSpec) string {
	e.mu.Lock()
	defer e.mu.Unlock()
	id, err := e.createImage(spec)
	must(err)
	e.emit("image", "import", id, with(spec.Labels, "name", id))
	return id
}

// Pull adds an image as docker pull does: with one event, which carries the
// reference in place of the ID.
func (e *Engine) Pull(ref string) string {
	named, err := parseReference(ref)
	must(err)
	e.mu.Lock()
	defer e.mu.Unlock()
	id := e.newImage(ImageSpec{})
	e.moveTag(id, reference.FamiliarString(named))
	e.emit("image", "pull", reference.FamiliarString(named), map[string]string{"name": reference.FamiliarName(named)})
	return id
}

// Load adds an image as docker load does: with one event, which names no tag.
func (e *Engine) Load(tags ...string) string {
	e.mu.Lock()
	defer e.mu.Unlock()
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
	e.mu.Lock()
	defer e.mu.Unlock()
	img, err := e.resolveImage(base)
	must(err)
	step := e.nextID("container")
	e.emit("container", "create", step, map[string]string{"image": img.id})
	id := e.newImage(ImageSpec{Parent: img.id})
	e.emit("container", "destroy", step, map[string]string{"image": img.id})
	return id
}

// Tag gives an image another tag, as docker tag does.
func (e *Engine) Tag(image, tag string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.tagImage(image, tag)
}

// RemoveImage removes a tag or an image, as docker rmi does.
func (e *Engine) RemoveImage(ref string, force bool) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	_, err := e.deleteImage(ref, force, true)
	return err
}

// ImageTags are the tags of an image, sorted; nil if there is no such image.
func (e *Engine) ImageTags(ref string) []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	img, err := e.resolveImage(ref)
	if err != nil {
		return nil
	}
	return slices.Clone(img.tags)
}

// ImageIDs are the IDs of all images, sorted.
func (e *Engine) ImageIDs() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Sorted(maps.Keys(e.images))
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
	if spec.Architecture == "" {
		spec.Architecture = "amd64"
	}
	if spec.OS == "" {
		spec.OS = "linux"
	}
	if spec.Created.IsZero() {
		spec.Created = e.now()
	}
	id := "sha256:" + e.nextID("image")
	e.images[id] = &image{id: id, spec: spec}
	if spec.Parent != "" {
		e.children[spec.Parent]++
	}
	return id
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
	e.moveTag(img.id, familiar)
	e.emit("image", "tag", img.id, with(img.spec.Labels, "name", familiar))
	return nil
}

// moveTag takes a tag from the image that has it; that sends no event.
func (e *Engine) moveTag(id, tag string) {
	if old, ok := e.tags[tag]; ok {
		e.dropTag(old, tag)
	}
	e.tags[tag] = id
	img := e.images[id]
	img.tags = append(img.tags, tag)
	slices.Sort(img.tags)
}

func (e *Engine) dropTag(id, tag string) {
	img := e.images[id]
	img.tags = slices.DeleteFunc(img.tags, func(t string) bool { return t == tag })
	delete(e.tags, tag)
}

// parseReference understands a tag as dockerd does.
func parseReference(ref string) (reference.Named, error) {
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return nil, systemError("%v", err)
	}
	return reference.TagNameOnly(named), nil
}

// resolveImage finds an image by ID, tag, or the beginning of an ID.
func (e *Engine) resolveImage(ref string) (*image, error) {
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
		if slices.Contains(img.spec.Digests, ref) {
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

func (e *Engine) imageByPrefix(prefix string) *image {
	if prefix == "" || len(prefix) == 64 || strings.Trim(prefix, "0123456789abcdef") != "" {
		return nil
	}
	var found *image
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
