package engine

import containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"

// Key names one object of an engine, as it is mirrored.
type Key struct {
	Kind containersv1.Kind
	// ID is the engine's own identifier: the full ID of a container, an image or a
	// network, the name of a volume or a namespace.
	ID string
	// Tag of an image, which has one mirror for each tag; empty for an untagged image
	// and for other kinds.
	Tag string
}

// KeyOf returns the key of the object that a mirror stands for.
func KeyOf(m containersv1.Mirror) Key {
	key := Key{Kind: m.MirrorKind(), ID: m.ObjectID()}
	if image, ok := m.(*containersv1.Image); ok {
		key.Tag = image.Status.RepoTag
	}
	return key
}

// ResourceName returns the name of the resource that mirrors the object.
func (k Key) ResourceName() string {
	if k.Tag != "" {
		return containersv1.ImageResourceName(k.ID, k.Tag)
	}
	return k.Kind.ResourceName(k.ID)
}
