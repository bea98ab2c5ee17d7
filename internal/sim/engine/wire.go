package engine

import (
	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine/docker"
)

// container reads one container.
func (m *Model) container(id string) (*containersv1.Container, error) {
	c, err := m.Container(id)
	if err != nil {
		return nil, err
	}
	return c.Mirror(), nil
}

// listedImages lists the images as the Docker Engine API does.
func (m *Model) listedImages() (out []docker.ListedImage) {
	for _, img := range m.Images() {
		if !img.Hidden {
			out = append(out, docker.ListedImage{ID: img.ID, Tags: img.Tags, Digests: img.Mirrors()[0].Status.RepoDigests})
		}
	}
	return out
}

// imagesOf reads one image, with a resource for each tag.
func (m *Model) imagesOf(ref string) ([]*containersv1.Image, error) {
	img, err := m.Image(ref)
	if err != nil {
		return nil, err
	}
	return img.Mirrors(), nil
}

// mirrors returns the resources of a list of objects.
func mirrors[T, M any](objects []T, mirrorOf func(T) M) []M {
	out := make([]M, len(objects))
	for i, object := range objects {
		out[i] = mirrorOf(object)
	}
	return out
}

// mirror returns a function that turns an answer into a resource.
func mirror[T, M any](mirrorOf func(T) M) func(T, error) (M, error) {
	return func(object T, err error) (M, error) {
		if err != nil {
			var none M
			return none, err
		}
		return mirrorOf(object), nil
	}
}
