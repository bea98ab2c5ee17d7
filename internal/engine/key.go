package engine

import containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"

// Key names one object of an engine, as it is mirrored.
type Key struct {
	Kind containersv1.Kind
	// ID is the engine's own identifier: the full ID of a container or an image, the
	// name of a volume or a namespace.
	ID string
	// Tag of an image, which has one mirror for each tag; empty for an untagged image
	// and for other kinds.
	Tag string
}

// KeyOf returns the key of the object that a mirror stands for.
func KeyOf(m containersv1.Mirror) Key {
	switch o := m.(type) {
	case *containersv1.Image:
		return Key{Kind: containersv1.KindImage, ID: o.Status.ID, Tag: o.Status.RepoTag}
	case *containersv1.Volume:
		return Key{Kind: containersv1.KindVolume, ID: o.Status.Name}
	default:
		return Key{Kind: m.MirrorKind(), ID: m.GetName()}
	}
}

// ResourceName returns the name of the resource that mirrors the object.
func (k Key) ResourceName() string {
	switch k.Kind {
	case containersv1.KindImage:
		return containersv1.ImageResourceName(k.ID, k.Tag)
	case containersv1.KindVolume:
		return containersv1.VolumeResourceName(k.ID)
	case containersv1.KindContainer:
		return containersv1.ContainerResourceName(k.ID)
	case containersv1.KindContainerNamespace:
	}
	return k.ID
}
