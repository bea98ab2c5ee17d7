package client

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime"

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
		return NamedObject{}, fmt.Errorf("%s %q not found: the engine has no %ss: see 'rdd status'", what, text, what)
	}
	near := slices.DeleteFunc(slices.Clone(objects), func(o NamedObject) bool { return text == "" || !strings.Contains(o.Name, text) })
	if len(near) == 0 {
		near = objects
	}
	return NamedObject{}, fmt.Errorf("%s %q not found: use a name or a prefix of an ID, such as %s", what, text, candidates(near))
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

// mirrorsPath is the path of the mirrors of a kind.
func mirrorsPath(namespace string, kind containersv1.Kind) string {
	return "/apis/" + containersv1.GroupVersion.String() + "/namespaces/" + namespace + "/" + kind.GroupVersionResource().Resource
}

// mirrors reads all mirrors of a kind.
func (c *Client) mirrors(ctx context.Context, kind containersv1.Kind, list runtime.Object) error {
	app, err := c.App(ctx)
	if err != nil {
		return err
	}
	namespace := cmp.Or(app.Spec.Namespace, appv1.DefaultNamespace)
	if err := c.rest.Get().AbsPath(mirrorsPath(namespace, kind)).MaxRetries(0).Do(ctx).Into(list); err != nil {
		return fmt.Errorf("list %s: %w", kind.GroupVersionResource().Resource, err)
	}
	return nil
}

// Containers reads the mirrors of all containers.
func (c *Client) Containers(ctx context.Context) ([]containersv1.Container, error) {
	list := &containersv1.ContainerList{}
	err := c.mirrors(ctx, containersv1.KindContainer, list)
	return list.Items, err
}

// ImageTags returns the tags of all images.
func (c *Client) ImageTags(ctx context.Context) ([]string, error) {
	list := &containersv1.ImageList{}
	if err := c.mirrors(ctx, containersv1.KindImage, list); err != nil {
		return nil, err
	}
	var tags []string
	for _, image := range list.Items {
		if image.Status.RepoTag != "" {
			tags = append(tags, image.Status.RepoTag)
		}
	}
	return tags, nil
}

// ContainerNames returns the names of all containers.
func (c *Client) ContainerNames(ctx context.Context) ([]string, error) {
	all, err := c.Containers(ctx)
	if err != nil {
		return nil, err
	}
	names := make([]string, len(all))
	for i, item := range all {
		names[i] = item.Status.Name
	}
	return names, nil
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
