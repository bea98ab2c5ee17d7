package docker

import (
	"context"
	"fmt"
	"strings"

	"github.com/containerd/errdefs"
	"k8s.io/apimachinery/pkg/types"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
)

// requested returns the object that was created for a request, if there is one.
func (e *dockerEngine) requested(ctx context.Context, kind containersv1.Kind, request types.UID) (engine.Key, bool, error) {
	ids, err := e.Requested(ctx, kind, request)
	if err != nil || len(ids) == 0 {
		return engine.Key{}, false, err
	}
	return engine.Key{Kind: kind, ID: ids[0]}, true, nil
}

// requestedContainer returns the container that was created for a request; nil if there
// is none.
func (e *dockerEngine) requestedContainer(ctx context.Context, name string, request types.UID) (*containersv1.Container, error) {
	ids, err := e.Requested(ctx, containersv1.KindContainer, request)
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		m, err := e.named(ctx, containersv1.KindContainer, id)
		if engine.IsNotFound(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		c := m.(*containersv1.Container)
		var image *containersv1.Image
		if c.Status.Name != name {
			if image, err = e.imageOf(ctx, c); err != nil {
				return nil, err
			}
		}
		if !engine.InheritsLabel(c, name, request, image) {
			return c, nil
		}
	}
	return nil, nil
}

// imageOf reads the image of a container; nil if the engine lacks it.
func (e *dockerEngine) imageOf(ctx context.Context, c *containersv1.Container) (*containersv1.Image, error) {
	if c.Status.ImageID == "" {
		return nil, nil
	}
	m, err := e.named(ctx, containersv1.KindImage, c.Status.ImageID)
	if engine.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return m.(*containersv1.Image), nil
}

// named reads an object by its name.
func (e *dockerEngine) named(ctx context.Context, kind containersv1.Kind, name string) (containersv1.Mirror, error) {
	mirrors, err := e.Inspect(ctx, kind, name)
	if err != nil {
		return nil, err
	}
	return mirrors[0], nil
}

// CreateVolume implements engine.Creator.
func (e *dockerEngine) CreateVolume(ctx context.Context, spec containersv1.VolumeCreateRequestSpec, request types.UID) (engine.Key, error) {
	key, err := e.createVolume(ctx, spec, request)
	return key, classified(err)
}

// createVolume looks for a volume of this name first: to dockerd, the creation of a
// volume that exists is a success.
func (e *dockerEngine) createVolume(ctx context.Context, spec containersv1.VolumeCreateRequestSpec, request types.UID) (engine.Key, error) {
	key, found, err := e.requested(ctx, containersv1.KindVolume, request)
	if err != nil || found {
		return key, err
	}
	if _, err := e.named(ctx, containersv1.KindVolume, spec.Name); err == nil {
		return key, nameTaken("volume", spec.Name)
	} else if !engine.IsNotFound(err) {
		return key, err
	}
	labels, err := e.API.CreateVolume(ctx, spec, request)
	if err != nil {
		return key, err
	}
	if !engine.FromRequest(labels, request) {
		return key, nameTaken("volume", spec.Name) // another client was faster
	}
	return engine.Key{Kind: containersv1.KindVolume, ID: spec.Name}, nil
}

// CreateNetwork implements engine.Creator.
func (e *dockerEngine) CreateNetwork(ctx context.Context, spec containersv1.NetworkCreateRequestSpec, request types.UID) (engine.Key, error) {
	key, err := e.createNetwork(ctx, spec, request)
	return key, classified(err)
}

// createNetwork looks for a network of this name first: before API 1.44, dockerd accepts
// several networks of one name. For the same reason an earlier attempt that was still
// under way can have created one too: the oldest network stays.
func (e *dockerEngine) createNetwork(ctx context.Context, spec containersv1.NetworkCreateRequestSpec, request types.UID) (engine.Key, error) {
	key, found, err := e.requested(ctx, containersv1.KindNetwork, request)
	if err != nil || found {
		return key, err
	}
	network, err := e.named(ctx, containersv1.KindNetwork, spec.Name)
	switch {
	case err == nil && network.DisplayName() == spec.Name:
		return key, nameTaken("network", spec.Name)
	case err != nil && !engine.IsNotFound(err):
		return key, err
	}
	id, err := e.API.CreateNetwork(ctx, spec, request)
	if err != nil {
		return key, err
	}
	ids, err := e.Requested(ctx, containersv1.KindNetwork, request)
	if err != nil || len(ids) == 0 {
		return engine.Key{Kind: containersv1.KindNetwork, ID: id}, nil //nolint:nilerr // the network was created
	}
	for _, id := range ids[1:] {
		if err := e.Remove(ctx, containersv1.KindNetwork, id); err != nil && !engine.IsNotFound(err) {
			return key, fmt.Errorf("remove a second network %s: %w", spec.Name, err)
		}
	}
	return engine.Key{Kind: containersv1.KindNetwork, ID: ids[0]}, nil
}

// CreateContainer implements engine.Creator.
func (e *dockerEngine) CreateContainer(ctx context.Context, spec containersv1.ContainerCreateRequestSpec, request types.UID) (engine.Key, error) {
	key, err := e.createContainer(ctx, spec, request)
	return key, classified(err)
}

func (e *dockerEngine) createContainer(ctx context.Context, spec containersv1.ContainerCreateRequestSpec, request types.UID) (engine.Key, error) {
	var key engine.Key
	earlier, err := e.requestedContainer(ctx, spec.Name, request)
	switch {
	case err != nil:
		return key, err
	case earlier != nil && earlier.HasRun():
		return engine.KeyOf(earlier), nil
	case earlier != nil:
		if err := e.discardEarlier(ctx, engine.KeyOf(earlier)); err != nil {
			return key, err
		}
	}
	// dockerd accepts a missing network, and refuses the start.
	for _, network := range spec.Networks {
		if _, err := e.named(ctx, containersv1.KindNetwork, network); err != nil {
			return key, err
		}
	}
	id, err := e.API.CreateContainer(ctx, spec, request)
	if engine.IsConflict(err) {
		return key, e.whoHas(ctx, spec.Name, request, err)
	}
	if err != nil {
		return key, imageMissing(err)
	}
	key = engine.Key{Kind: containersv1.KindContainer, ID: id}
	return key, e.connectAll(ctx, key, spec.Networks)
}

// discardEarlier removes the container of an earlier attempt, which has never run.
func (e *dockerEngine) discardEarlier(ctx context.Context, key engine.Key) error {
	err := e.discard(ctx, key)
	if engine.IsConflict(err) {
		return underWayError{err} // it starts, or is being removed
	}
	return err
}

// connectAll connects a container to all but its first network, to which its creation
// connects it: before API 1.44, dockerd takes a single one then.
func (e *dockerEngine) connectAll(ctx context.Context, key engine.Key, networks []string) error {
	for i, network := range networks {
		if i == 0 {
			continue
		}
		err := e.ConnectNetwork(ctx, network, key.ID)
		if err == nil {
			continue
		}
		err = fmt.Errorf("connect the container to network %s: %w", network, err)
		if IsUnreachable(err) || ctx.Err() != nil {
			return err
		}
		if removal := e.discard(ctx, key); removal != nil {
			return fmt.Errorf("%w; the container cannot be removed: %w", err, removal)
		}
		return err
	}
	return nil
}

// whoHas returns the error of a create whose name was taken: refused if another
// container has it. If no container of this name can be read, or the request's own can,
// an earlier attempt is under way.
func (e *dockerEngine) whoHas(ctx context.Context, name string, request types.UID, refused error) error {
	c, err := e.named(ctx, containersv1.KindContainer, name)
	switch {
	case engine.IsNotFound(err), err == nil && engine.FromRequest(c.(*containersv1.Container).Status.Labels, request):
		return underWayError{refused}
	case err != nil:
		return err
	}
	return refused
}

// Discard implements engine.Creator.
func (e *dockerEngine) Discard(ctx context.Context, key engine.Key) error {
	return classified(e.discard(ctx, key))
}

func (e *dockerEngine) discard(ctx context.Context, key engine.Key) error {
	err := e.DiscardContainer(ctx, key.ID)
	if engine.IsNotFound(err) {
		return nil
	}
	return err
}

// underWayError puts engine.ErrUnderWay into the chain of an error, and keeps its text.
type underWayError struct{ error }

func (e underWayError) Unwrap() []error { return []error{e.error, engine.ErrUnderWay} }

// imageError puts engine.ErrNoImage into the chain of an error, and keeps its text.
type imageError struct{ error }

func (e imageError) Unwrap() []error { return []error{e.error, engine.ErrNoImage} }

// imageMissing returns err with engine.ErrNoImage in its chain if the engine lacks the
// image. Also a missing network is an error of the class "not found".
func imageMissing(err error) error {
	if engine.IsNotFound(err) && strings.Contains(strings.ToLower(err.Error()), "no such image") {
		return imageError{err}
	}
	return err
}

func nameTaken(what, name string) error {
	words := fmt.Sprintf("a %s named %s exists already, and this request has not created it: choose another name, or delete that %s", what, name, what)
	return &engineError{words: words, cause: errdefs.ErrConflict}
}
