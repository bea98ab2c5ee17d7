package invariant

import (
	"crypto/sha256"
	"fmt"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// identity is what makes two mirrors stand for the same object of the engine.
type identity struct {
	kind containersv1.Kind
	// id is a container's ID, an image's ID, the name of a volume or namespace.
	id string
	// tag of an image.
	tag string
}

// name of the resource, by the rule that the API promises. It is written a
// second time here so that a change of the first one is noticed.
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

// identityOf reads off a mirror's status what it stands for; a container's
// status does not say, so there its name does.
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
