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
	for _, row := range rawKinds() {
		if row.kind != i.kind || row.namePrefix == "" {
			continue
		}
		text := i.id
		if i.tag != "" {
			text += "\x00" + i.tag
		}
		return fmt.Sprintf("%s%x", row.namePrefix, sha256.Sum256([]byte(text)))
	}
	return i.id
}

// identityOf returns the identity in a mirror's status. The status of a container has
// no ID, so its name is used.
func identityOf(m containersv1.Mirror) identity {
	id := identity{kind: m.MirrorKind(), id: m.ObjectID()}
	if image, ok := m.(*containersv1.Image); ok {
		id.tag = image.Status.RepoTag
	}
	return id
}
