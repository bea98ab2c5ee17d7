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

// latest is the tag of a reference without one.
const latest = ":latest"

// ResourceName returns the name of the mirror that text names: the name of the resource,
// the name of the engine's object, or a unique prefix of its ID, in this order. It returns
// text if there is no such mirror, and an error that lists them if there are several.
func (c *Client) ResourceName(ctx context.Context, kind containersv1.Kind, namespace, text string) (string, error) {
	if isResourceName(kind, text) {
		return text, nil
	}
	resource := kind.GroupVersionResource().Resource
	list := containersv1.NewMirrorList(kind)
	path := "/apis/" + containersv1.GroupVersion.String() + "/namespaces/" + namespace + "/" + resource
	if err := c.rest.Get().AbsPath(path).MaxRetries(0).Do(ctx).Into(list); err != nil {
		return "", fmt.Errorf("list %s to find %q: %w", resource, text, err)
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
	if err != nil {
		return "", fmt.Errorf("read the list of %s: %w", resource, err)
	}
	return resourceName(strings.ToLower(string(kind)), text, objects)
}

// isResourceName reports whether text has the form of a resource's name of the kind.
func isResourceName(kind containersv1.Kind, text string) bool {
	const digits = 64
	like := kind.ResourceName("")
	prefix := like[:max(0, len(like)-digits)]
	rest, found := strings.CutPrefix(text, prefix)
	return found && len(rest) == digits && strings.Trim(rest, "0123456789abcdef") == ""
}

// resourceName returns the name of the resource that text names, or text.
func resourceName(what, text string, objects []NamedObject) (string, error) {
	id := strings.TrimPrefix(text, "sha256:")
	for _, is := range []func(NamedObject) bool{
		func(o NamedObject) bool { return o.Resource == text },
		func(o NamedObject) bool { return o.Name == text },
		func(o NamedObject) bool { return what == "image" && o.Name == text+latest },
		func(o NamedObject) bool { return id != "" && strings.HasPrefix(o.ID, id) },
	} {
		found := slices.DeleteFunc(slices.Clone(objects), func(o NamedObject) bool { return !is(o) })
		switch len(found) {
		case 0:
		case 1:
			return found[0].Resource, nil
		default:
			return "", fmt.Errorf("%q fits %d %ss: %s: use a full name, or more digits of the ID", text, len(found), what, candidates(found))
		}
	}
	return text, nil
}
