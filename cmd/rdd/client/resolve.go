package client

import (
	"context"
	"fmt"
	"slices"
	"strings"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// maxCandidates is how many objects an error lists.
const maxCandidates = 8

// NamedObject is an object that a user can name on the command line.
type NamedObject struct {
	// Name in the engine, and ID.
	Name, ID string
	// Resource is the name of the mirror.
	Resource string
}

// Resolve returns the object that text names: its name, its resource's name, or a unique
// prefix of its ID, in this order. What describes the kind, such as "container". Errors
// list the candidates.
func Resolve(what, text string, objects []NamedObject) (NamedObject, error) {
	for _, is := range []func(NamedObject) bool{
		func(o NamedObject) bool { return o.Name == text },
		func(o NamedObject) bool { return o.Resource == text || o.ID == text },
	} {
		if at := slices.IndexFunc(objects, is); at >= 0 {
			return objects[at], nil
		}
	}
	var found []NamedObject
	for _, o := range objects {
		if text != "" && strings.HasPrefix(o.ID, text) {
			found = append(found, o)
		}
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) > 1:
		return NamedObject{}, fmt.Errorf("the IDs of %d %ss begin with %q: %s: use more characters, or the name", len(found), what, text, candidates(found))
	case len(objects) == 0:
		return NamedObject{}, fmt.Errorf("there is no %s %q, because there is no %s at all: see 'rdd status'", what, text, what)
	}
	near := slices.DeleteFunc(slices.Clone(objects), func(o NamedObject) bool { return text == "" || !strings.Contains(o.Name, text) })
	if len(near) == 0 {
		near = objects
	}
	return NamedObject{}, fmt.Errorf("there is no %s %q: use a name or the begin of an ID, such as %s", what, text, candidates(near))
}

// candidates lists objects, sorted by name.
func candidates(objects []NamedObject) string {
	objects = slices.Clone(objects)
	slices.SortFunc(objects, func(a, b NamedObject) int { return strings.Compare(a.Name, b.Name) })
	var out []string
	for _, o := range objects[:min(len(objects), maxCandidates)] {
		out = append(out, fmt.Sprintf("%s (%s)", o.Name, shortID(o.ID)))
	}
	if more := len(objects) - len(out); more > 0 {
		out = append(out, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(out, ", ")
}

// shortID returns an ID as docker ps shows it.
func shortID(id string) string {
	id = strings.TrimPrefix(id, "sha256:")
	return id[:min(len(id), 12)]
}

// containersPath is the path of the mirrors of containers.
func containersPath(namespace string) string {
	return "/apis/" + containersv1.GroupVersion.String() + "/namespaces/" + namespace + "/containers"
}

// Containers reads the mirrors of all containers.
func (c *Client) Containers(ctx context.Context) ([]containersv1.Container, error) {
	app, err := c.App(ctx)
	if err != nil {
		return nil, err
	}
	namespace := app.Spec.Namespace
	if namespace == "" {
		namespace = appv1.DefaultNamespace
	}
	list := &containersv1.ContainerList{}
	if err := c.rest.Get().AbsPath(containersPath(namespace)).MaxRetries(0).Do(ctx).Into(list); err != nil {
		return nil, fmt.Errorf("list containers: %w", err)
	}
	return list.Items, nil
}

// Container returns the mirror of the container that text names; see Resolve.
func (c *Client) Container(ctx context.Context, text string) (*containersv1.Container, error) {
	all, err := c.Containers(ctx)
	if err != nil {
		return nil, err
	}
	objects := make([]NamedObject, len(all))
	for i, item := range all {
		objects[i] = NamedObject{Name: item.Status.Name, ID: item.Name, Resource: item.Name}
	}
	found, err := Resolve("container", text, objects)
	if err != nil {
		return nil, err
	}
	at := slices.IndexFunc(all, func(item containersv1.Container) bool { return item.Name == found.Resource })
	return &all[at], nil
}
