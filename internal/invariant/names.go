package invariant

import (
	"crypto/sha256"
	"fmt"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// identity identifies an object of the engine, and so all mirrors of it.
type identity struct {
	kind containersv1.Kind
	// id is the ID of a container, image or network, or the name of a volume or
	// namespace.
	id string
	// tag is the tag of an image, if it has one.
	tag string
}

// name returns the name of the resource, by the documented rule. This second
// implementation of the rule detects a change of the first one.
func (i identity) name() string {
	switch i.kind {
	case containersv1.KindImage:
		text := i.id
		if i.tag != "" {
			text += "\x00" + i.tag
		}
		return fmt.Sprintf("img-%x", sha256.Sum256([]byte(text)))
	case containersv1.KindVolume:
		return fmt.Sprintf("vol-%x", sha256.Sum256([]byte(i.id)))
	case containersv1.KindNetwork:
		return fmt.Sprintf("net-%x", sha256.Sum256([]byte(i.id)))
	case containersv1.KindContainer, containersv1.KindContainerNamespace:
	}
	return i.id
}

// identityOf returns the identity in a mirror's status. The status of a container has
// no ID, so its name is used.
func identityOf(m containersv1.Mirror) identity {
	switch v := m.(type) {
	case *containersv1.Image:
		return identity{containersv1.KindImage, v.Status.ID, v.Status.RepoTag}
	case *containersv1.Volume:
		return identity{containersv1.KindVolume, v.Status.Name, ""}
	case *containersv1.Network:
		return identity{containersv1.KindNetwork, v.Status.ID, ""}
	case *containersv1.ContainerNamespace:
		return identity{containersv1.KindContainerNamespace, v.Status.Name, ""}
	default:
		return identity{m.MirrorKind(), m.GetName(), ""}
	}
}
