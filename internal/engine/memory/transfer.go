package memory

import (
	"context"
	"slices"
	"strings"

	"github.com/distribution/reference"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
)

// PullFrom pulls an image from its registry, as docker pull does, and returns its ID.
// report is called with each step of a layer.
func (e *Engine) PullFrom(ctx context.Context, image engine.PullSpec, with engine.Credentials, report func(engine.Layer)) (id string, err error) {
	named, err := parseReference(image.Ref)
	if err != nil {
		return "", err
	}
	ctx, end := e.whileUp(ctx)
	defer end()
	from, err := e.enter(ctx, named, with)
	if err != nil {
		return "", err
	}
	found, present, err := e.findRemote(from, named, image.Platform)
	if err != nil {
		return "", err
	}
	steps := []string{"Pulling fs layer", "Downloading", "Downloading", "Extracting", "Pull complete"}
	if present {
		steps = []string{"Already exists", "Already exists"}
	}
	if err := from.move(ctx, layersOf(found), steps, report); err != nil {
		return "", err
	}
	defer e.lock()()
	if e.images[found.id] == nil {
		e.addImage(found.id, found.spec)
	}
	if _, ok := named.(reference.Digested); !ok {
		e.moveTag(found.id, reference.FamiliarString(named))
	}
	e.images[found.id].addDigest(digestOf(named, found.id))
	e.changed(containersv1.KindImage, found.id)
	e.emit("image", "pull", reference.FamiliarString(named), map[string]string{"name": reference.FamiliarName(named)})
	return found.id, nil
}

// findRemote finds an image in a registry, and reports whether the engine has it.
func (e *Engine) findRemote(from *registry, named reference.Named, platform engine.Platform) (found remoteImage, present bool, err error) {
	defer e.lock()()
	found, err = from.find(named, platform)
	return found, e.images[found.id] != nil, err
}

// PushTo pushes the image that has a tag, as docker push does, and returns its digest.
func (e *Engine) PushTo(ctx context.Context, ref string, with engine.Credentials, report func(engine.Layer)) (digest string, err error) {
	named, err := parseReference(ref)
	if err != nil {
		return "", err
	}
	familiar := reference.FamiliarString(named)
	image, err := e.Image(familiar)
	if err != nil || !slices.Contains(image.Tags, familiar) {
		return "", notFound("An image does not exist locally with the tag: %s", reference.FamiliarName(named))
	}
	ctx, end := e.whileUp(ctx)
	defer end()
	to, err := e.enter(ctx, named, with)
	if err != nil {
		return "", err
	}
	remote := remoteImage{image.ID, image.ImageSpec}
	remote.spec.Tags, remote.spec.Digests, remote.spec.Parent = nil, nil, ""
	if err := to.move(ctx, layersOf(remote), []string{"Preparing", "Pushing", "Pushed"}, report); err != nil {
		return "", err
	}
	defer e.lock()()
	byDigest := digestOf(named, image.ID)
	if to.images != nil {
		to.images[familiar], to.images[byDigest] = remote, remote
	}
	if img := e.images[image.ID]; img != nil {
		img.addDigest(byDigest)
		e.changed(containersv1.KindImage, img.ID)
	}
	e.emit("image", "push", familiar, map[string]string{"name": reference.FamiliarName(named)})
	_, digest, _ = strings.Cut(byDigest, "@")
	return digest, nil
}

// Pull implements engine.Transferrer.
func (c *conn) Pull(ctx context.Context, image engine.PullSpec, with engine.Credentials, progress func(engine.Progress)) (engine.Key, error) {
	if err := c.ready(ctx); err != nil {
		return engine.Key{}, err
	}
	ctx, end := c.whileOpen(ctx)
	defer end()
	id, err := c.engine.PullFrom(ctx, image, with, gather(progress))
	if err != nil {
		return engine.Key{}, err
	}
	return c.engine.imageKey(id, image.Ref)
}

// Push implements engine.Transferrer.
func (c *conn) Push(ctx context.Context, ref string, with engine.Credentials, progress func(engine.Progress)) (string, error) {
	if err := c.ready(ctx); err != nil {
		return "", err
	}
	ctx, end := c.whileOpen(ctx)
	defer end()
	return c.engine.PushTo(ctx, ref, with, gather(progress))
}

// Tag implements engine.Transferrer.
func (c *conn) Tag(ctx context.Context, image, tag string) (engine.Key, error) {
	if err := c.ready(ctx); err != nil {
		return engine.Key{}, err
	}
	if err := c.engine.Tag(image, tag); err != nil {
		return engine.Key{}, err
	}
	found, err := c.engine.Image(tag)
	if err != nil {
		return engine.Key{}, err
	}
	return c.engine.imageKey(found.ID, tag)
}

// whileOpen returns a context that also ends with the connection.
func (c *conn) whileOpen(ctx context.Context) (context.Context, func()) {
	return alsoEndsWith(ctx, c.open, errClosed)
}

// whileUp returns a context that also ends with the process of the engine.
func (e *Engine) whileUp(ctx context.Context) (context.Context, func()) {
	defer e.lock()()
	return alsoEndsWith(ctx, e.life, errEnded)
}

func alsoEndsWith(ctx, other context.Context, cause error) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(other, func() { cancel(cause) })
	return ctx, func() {
		stop()
		cancel(nil)
	}
}

// imageKey returns the key of the mirror of an image that was named by a reference.
func (e *Engine) imageKey(id, ref string) (engine.Key, error) {
	named, err := parseReference(ref)
	if err != nil {
		return engine.Key{}, err
	}
	defer e.lock()()
	img := e.images[id]
	if img == nil {
		return engine.Key{}, notFound("No such image: %s", ref)
	}
	key := engine.Key{Kind: containersv1.KindImage, ID: id}
	if tag := reference.FamiliarString(named); slices.Contains(img.Tags, tag) {
		key.Tag = tag
	} else if len(img.Tags) > 0 {
		key.Tag = img.Tags[0]
	}
	return key, nil
}

// gather returns a function that keeps the progress of all layers.
func gather(progress func(engine.Progress)) func(engine.Layer) {
	var now engine.Progress
	return func(layer engine.Layer) {
		if now.Set(layer) {
			progress(now.Clone())
		}
	}
}
