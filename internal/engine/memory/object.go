package memory

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/containerd/errdefs"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
)

func notImplemented(key engine.Key, verb engine.Verb) error {
	return fmt.Errorf("%s of a %s: %w", verb, key.Kind, errdefs.ErrNotImplemented)
}

// get returns the mirror of an object.
func (e *Engine) get(key engine.Key) (containersv1.Mirror, error) {
	for _, m := range e.mirrors(key.Kind, key.ID) {
		if engine.KeyOf(m) == key {
			return m, nil
		}
	}
	return nil, notFound("no such %s: %s", key.Kind, cmp.Or(key.Tag, key.ID))
}

// removeObject removes an object as package engine defines it.
func (e *Engine) removeObject(key engine.Key) error {
	if _, err := e.get(key); err != nil {
		return err
	}
	switch key.Kind {
	case containersv1.KindContainer:
		c := e.containers[key.ID]
		defer e.changedContainer(c)
		return e.remove(c, true)
	case containersv1.KindImage:
		for _, ref := range e.references(key) {
			if _, err := e.deleteImage(ref, false, true); err != nil {
				return err
			}
		}
		return nil
	case containersv1.KindVolume:
		return e.deleteVolume(key.ID, false)
	case containersv1.KindNetwork:
		return e.removeNetwork(key.ID)
	case containersv1.KindContainerNamespace:
	}
	return notImplemented(key, engine.VerbRemove)
}

// Inspect returns the mirrors of one object, which is named as in the methods of its
// kind. It finds images that are hidden.
func (e *Engine) Inspect(kind containersv1.Kind, ref string) ([]containersv1.Mirror, error) {
	switch kind {
	case containersv1.KindContainer:
		return inspected((*Container).Mirror)(pointer(e.Container(ref)))
	case containersv1.KindImage:
		img, err := e.Image(ref)
		if err != nil {
			return nil, err
		}
		var out []containersv1.Mirror
		for _, m := range img.Mirrors() {
			out = append(out, m)
		}
		return out, nil
	case containersv1.KindVolume:
		return inspected(Volume.Mirror)(e.Volume(ref))
	case containersv1.KindNetwork:
		return inspected(Network.Mirror)(e.Network(ref))
	case containersv1.KindContainerNamespace:
	}
	return nil, notFound("no such %s: %s", kind, ref)
}

// inspected returns a function that turns an answer into mirrors.
func inspected[T any, M containersv1.Mirror](mirrorOf func(T) M) func(T, error) ([]containersv1.Mirror, error) {
	return func(object T, err error) ([]containersv1.Mirror, error) {
		if err != nil {
			return nil, err
		}
		return []containersv1.Mirror{mirrorOf(object)}, nil
	}
}

func pointer[T any](object T, err error) (*T, error) { return &object, err }

// Remove removes one object, which is named as in the methods of its kind: a container
// by force, others not.
func (e *Engine) Remove(kind containersv1.Kind, ref string) error {
	switch kind {
	case containersv1.KindContainer:
		return e.RemoveContainer(ref, true)
	case containersv1.KindImage:
		return e.RemoveImage(ref, false)
	case containersv1.KindVolume:
		return e.RemoveVolume(ref, false)
	case containersv1.KindNetwork:
		return e.RemoveNetwork(ref)
	case containersv1.KindContainerNamespace:
	}
	return notImplemented(engine.Key{Kind: kind, ID: ref}, engine.VerbRemove)
}

// references returns what is removed of an image: its tag, or its ID, or one digest
// after the other when several repositories have it and no container uses it.
func (e *Engine) references(key engine.Key) []string {
	img := e.images[key.ID]
	if key.Tag == "" && len(img.Digests) > 1 && e.userOf(img, nil) == nil {
		return slices.Clone(img.Digests)
	}
	return []string{cmp.Or(key.Tag, key.ID)}
}

// Refusal returns the error with which the engine would refuse a verb now; nil when it
// would not.
func (e *Engine) Refusal(key engine.Key, verb engine.Verb) error {
	defer e.lock()()
	if _, err := e.get(key); err != nil {
		return err
	}
	switch {
	case key.Kind == containersv1.KindContainer && verb == engine.VerbStart:
		return e.startRefusal(e.containers[key.ID])
	case key.Kind == containersv1.KindContainer && verb == engine.VerbRemove:
		return removalRefusal(e.containers[key.ID], true)
	case key.Kind == containersv1.KindContainer && verb == engine.VerbStop:
		return nil
	case verb != engine.VerbRemove:
	case key.Kind == containersv1.KindImage:
		ref := e.references(key)[0]
		return e.imageRefusal(e.images[key.ID], ref, false)
	case key.Kind == containersv1.KindVolume:
		return e.volumeRefusal(key.ID)
	case key.Kind == containersv1.KindNetwork:
		return e.networkRefusal(e.networks[key.ID])
	}
	return notImplemented(key, verb)
}
