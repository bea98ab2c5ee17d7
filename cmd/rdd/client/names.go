package client

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

const (
	// latest is the tag of a reference without one.
	latest = ":latest"
	// shortestID is the minimum length of a prefix of an ID. With less, the name "db" of a
	// removed container would often name another one.
	shortestID = 4
)

// Objects reads the names of all mirrors of a kind in a namespace.
func (c *Client) Objects(ctx context.Context, kind containersv1.Kind, namespace string) ([]NamedObject, error) {
	list := containersv1.NewMirrorList(kind)
	if err := c.rest.Get().AbsPath(mirrorsPath(namespace, kind)).MaxRetries(0).Do(ctx).Into(list); err != nil {
		return nil, fmt.Errorf("list %s: %w", kind.GroupVersionResource().Resource, err)
	}
	var objects []NamedObject
	err := meta.EachListItem(list, func(obj runtime.Object) error {
		m := obj.(containersv1.Mirror)
		named := NamedObject{Name: m.DisplayName(), ID: strings.TrimPrefix(m.ObjectID(), "sha256:"), Resource: m.GetName()}
		if named.Name == named.ID {
			named.ID = "" // the name of a volume has no short form
		}
		objects = append(objects, named)
		return nil
	})
	return objects, err
}

// IsResourceName reports whether text has the form of a resource's name of the kind.
func IsResourceName(kind containersv1.Kind, text string) bool {
	const digits = 64
	like := kind.ResourceName("")
	prefix := like[:max(0, len(like)-digits)]
	rest, found := strings.CutPrefix(text, prefix)
	return found && len(rest) == digits && strings.Trim(rest, "0123456789abcdef") == ""
}

// ResourceName returns the name of the mirror that text names: the name of the resource,
// the name of the engine's object, or a unique prefix of its ID with at least four
// digits, in this order. The tag "latest" of an image can be left out. ResourceName returns
// text if there is no such mirror, and an error that lists them if there are several.
func ResourceName(kind containersv1.Kind, text string, objects []NamedObject) (string, error) {
	id := strings.TrimPrefix(text, "sha256:")
	for _, is := range []func(NamedObject) bool{
		func(o NamedObject) bool { return o.Resource == text },
		func(o NamedObject) bool { return o.Name == text },
		func(o NamedObject) bool { return kind == containersv1.KindImage && o.Name == text+latest },
		func(o NamedObject) bool { return len(id) >= shortestID && strings.HasPrefix(o.ID, id) },
	} {
		found := slices.DeleteFunc(slices.Clone(objects), func(o NamedObject) bool { return !is(o) })
		switch len(found) {
		case 0:
		case 1:
			return found[0].Resource, nil
		default:
			return "", fmt.Errorf("%q matches %d %s: %s: use a full name, or more digits of the ID",
				text, len(found), kind.GroupVersionResource().Resource, candidates(found))
		}
	}
	return text, nil
}
