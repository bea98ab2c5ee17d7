package engine

import (
	"context"
	"errors"

	"github.com/containerd/errdefs"
	"k8s.io/apimachinery/pkg/types"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// Creator creates objects for requests.
//
// Each object gets the label RequestLabel with the UID of its request, and a create
// begins with a search for the object with that label. So a create that is repeated,
// because its answer was lost, returns the object that there is. An object of the same
// name that another client has created is a conflict, and a container that only inherits
// the label from its image is another client's: see InheritsLabel. The specs have a name;
// the contexts need a deadline.
type Creator interface {
	// CreateContainer creates a container, and connects it to its networks. It does not
	// start the container, and does not pull its image: without the image the error is
	// ErrNoImage. If a part fails, the container is removed again. A container of an
	// earlier call that has never run is replaced, because its start may have been
	// interrupted: some engines start such a container without its ports.
	CreateContainer(ctx context.Context, spec containersv1.ContainerCreateRequestSpec, request types.UID) (Key, error)
	// Discard removes a container that was created for a request and never ran, with its
	// anonymous volumes. A container that runs is a conflict; one that is gone is no
	// error.
	Discard(ctx context.Context, key Key) error

	CreateVolume(ctx context.Context, spec containersv1.VolumeCreateRequestSpec, request types.UID) (Key, error)
	CreateNetwork(ctx context.Context, spec containersv1.NetworkCreateRequestSpec, request types.UID) (Key, error)
}

// ErrNoImage is in the chain of the error of a create whose image the engine lacks.
var ErrNoImage = errors.New("the engine lacks the image")

// ErrUnderWay is in the chain of the error of a create that meets its own earlier
// attempt, whose object cannot be read yet. The create can be repeated.
var ErrUnderWay = errors.New("an earlier attempt is under way")

// IsInvalid reports whether the engine does not accept a parameter.
func IsInvalid(err error) bool { return errdefs.IsInvalidArgument(err) }

// RequestLabels returns the labels of an object that is created for a request.
func RequestLabels(labels map[string]string, request types.UID) map[string]string {
	out := map[string]string{containersv1.RequestLabel: string(request)}
	for key, value := range labels {
		if key != containersv1.RequestLabel {
			out[key] = value
		}
	}
	return out
}

// FromRequest reports whether an object with these labels was created for a request.
func FromRequest(labels map[string]string, request types.UID) bool {
	return labels[containersv1.RequestLabel] == string(request)
}

// InheritsLabel reports whether a container that has the label of a request may have it
// from its image alone: docker commit copies the labels of a container to the new image,
// and so to each container of that image. The container of the request is known by its
// name or, if another client has renamed it, by an image without the label. image is nil
// if the engine lacks the image, which then proves nothing.
func InheritsLabel(c *containersv1.Container, name string, request types.UID, image *containersv1.Image) bool {
	return c.Status.Name != name && (image == nil || FromRequest(image.Status.Labels, request))
}
