package memory

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/types"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
)

// Requested returns the identifiers of the objects of a kind that have the label of a
// request, the oldest first.
func (e *Engine) Requested(kind containersv1.Kind, request types.UID) []string {
	defer e.lock()()
	return e.requested(kind, request)
}

func (e *Engine) requested(kind containersv1.Kind, request types.UID) (ids []string) {
	switch kind {
	case containersv1.KindContainer:
		for _, id := range sortedKeys(e.containers) {
			if engine.FromRequest(e.containers[id].Labels, request) {
				ids = append(ids, id)
			}
		}
		slices.SortStableFunc(ids, func(a, b string) int { return e.containers[a].Created.Compare(e.containers[b].Created) })
	case containersv1.KindVolume:
		for _, name := range sortedKeys(e.volumes) {
			if engine.FromRequest(e.volumes[name].Labels, request) {
				ids = append(ids, name)
			}
		}
	case containersv1.KindNetwork:
		for _, id := range sortedKeys(e.networks) {
			if engine.FromRequest(e.networks[id].Labels, request) {
				ids = append(ids, id)
			}
		}
		slices.SortStableFunc(ids, func(a, b string) int { return e.networks[a].Created.Compare(e.networks[b].Created) })
	case containersv1.KindContainerNamespace, containersv1.KindImage:
	}
	return ids
}

// RequestedContainer returns what docker create gets for the container of a request.
// Containers have no processes, so the rest of the request has no effect.
func RequestedContainer(spec containersv1.ContainerCreateRequestSpec, request types.UID) ContainerSpec {
	out := ContainerSpec{
		Name: spec.Name, Image: spec.Image, Command: slices.Concat(spec.Command, spec.Args),
		Labels: engine.RequestLabels(spec.Labels, request), AutoRemove: spec.AutoRemove,
		Hostname: spec.Hostname, User: spec.User, WorkingDir: spec.WorkingDir,
		RestartPolicy: requestedRestarts(spec), Destinations: map[string]string{},
	}
	if len(spec.Networks) > 0 {
		out.Network = spec.Networks[0]
	}
	if h := spec.HealthCheck; h != nil && !h.Disabled {
		out.HealthRetries = 3
		if h.FailureThreshold != nil {
			out.HealthRetries = int(*h.FailureThreshold)
		}
	}
	for _, m := range spec.Mounts {
		if m.Type == containersv1.MountVolume {
			out.Volumes = append(out.Volumes, m.Source)
			out.Destinations[m.Source] = m.MountPath
			continue
		}
		out.Mounts = append(out.Mounts, containersv1.ContainerMount{Type: m.Type, Source: m.Source, Destination: m.MountPath, ReadOnly: m.ReadOnly})
	}
	for _, p := range spec.Ports {
		port := fmt.Sprintf("%d/%s", p.ContainerPort, strings.ToLower(p.Protocol))
		if p.HostPort == nil {
			out.Exposed = append(out.Exposed, port)
			continue
		}
		binding := PortBinding{Port: port, HostIP: p.HostIP}
		if *p.HostPort != 0 {
			binding.HostPort = strconv.Itoa(int(*p.HostPort))
		}
		out.Published = append(out.Published, binding)
	}
	return out
}

func requestedRestarts(spec containersv1.ContainerCreateRequestSpec) containersv1.RestartPolicy {
	names := map[containersv1.RequestedRestartPolicy]string{
		containersv1.RestartAlways: "always", containersv1.RestartOnFailure: "on-failure", containersv1.RestartUnlessStopped: "unless-stopped",
	}
	policy := containersv1.RestartPolicy{Name: cmp.Or(names[spec.RestartPolicy], "no")}
	if spec.MaxRetries != nil {
		policy.MaximumRetryCount = *spec.MaxRetries
	}
	return policy
}

// RequestedVolume returns what docker volume create gets for the volume of a request.
func RequestedVolume(spec containersv1.VolumeCreateRequestSpec, request types.UID) VolumeSpec {
	return VolumeSpec{Name: spec.Name, Driver: spec.Driver, Labels: engine.RequestLabels(spec.Labels, request), Options: spec.Options}
}

// RequestedNetwork returns what docker network create gets for the network of a request.
func RequestedNetwork(spec containersv1.NetworkCreateRequestSpec, request types.UID) NetworkSpec {
	out := NetworkSpec{
		Name: spec.Name, Driver: spec.Driver, Internal: spec.Internal, Attachable: spec.Attachable,
		Labels: engine.RequestLabels(spec.Labels, request), Options: spec.Options,
	}
	if len(spec.Subnets) > 0 {
		out.Subnet = spec.Subnets[0].Subnet
	}
	return out
}

// create creates the object of a request, unless there is one.
func (c *conn) create(ctx context.Context, kind containersv1.Kind, request types.UID, create func() (id string, err error)) (engine.Key, error) {
	if err := c.ready(ctx); err != nil {
		return engine.Key{}, err
	}
	defer c.engine.lock()()
	if ids := c.engine.requested(kind, request); len(ids) > 0 {
		return engine.Key{Kind: kind, ID: ids[0]}, nil
	}
	id, err := create()
	return engine.Key{Kind: kind, ID: id}, err
}

// requestedContainer returns the container that was created for a request, or nil.
func (e *Engine) requestedContainer(name string, request types.UID) *Container {
	for _, id := range e.requested(containersv1.KindContainer, request) {
		c := e.containers[id]
		var image *containersv1.Image
		if img := e.images[c.ImageID]; img != nil {
			image = &containersv1.Image{Status: containersv1.ImageStatus{Labels: img.Labels}}
		}
		if !engine.InheritsLabel(&containersv1.Container{Status: containersv1.ContainerStatus{Name: c.Name}}, name, request, image) {
			return c
		}
	}
	return nil
}

// CreateContainer implements engine.Creator.
func (c *conn) CreateContainer(ctx context.Context, spec containersv1.ContainerCreateRequestSpec, request types.UID) (engine.Key, error) {
	if err := c.ready(ctx); err != nil {
		return engine.Key{}, err
	}
	defer c.engine.lock()()
	id, err := c.engine.replaceRequested(spec, request)
	return engine.Key{Kind: containersv1.KindContainer, ID: id}, err
}

// replaceRequested returns the container of an earlier attempt if it has run, and else
// replaces it by a new one.
func (e *Engine) replaceRequested(spec containersv1.ContainerCreateRequestSpec, request types.UID) (id string, err error) {
	if c := e.requestedContainer(spec.Name, request); c != nil {
		if !c.Started.IsZero() {
			return c.ID, nil
		}
		if err := e.remove(c, false); err != nil {
			return "", fmt.Errorf("%w: %w", err, engine.ErrUnderWay)
		}
		e.removeAnonymousVolumes(c)
	}
	if _, err := e.resolveImage(spec.Image); err != nil {
		return "", fmt.Errorf("%w: %w", err, engine.ErrNoImage)
	}
	var others []string
	for i, name := range spec.Networks {
		n, err := e.findNetwork(name)
		if err != nil {
			return "", err
		}
		if i > 0 {
			others = append(others, n.ID)
		}
	}
	created, err := e.createContainer(RequestedContainer(spec, request))
	if err != nil {
		return "", err
	}
	created.networks = append(created.networks, others...)
	return created.ID, nil
}

// Discard implements engine.Creator.
func (c *conn) Discard(ctx context.Context, key engine.Key) error {
	if err := c.ready(ctx); err != nil {
		return err
	}
	if err := c.engine.RemoveContainerAndVolumes(key.ID, false); err != nil && !engine.IsNotFound(err) {
		return err
	}
	return nil
}

// CreateVolume implements engine.Creator.
func (c *conn) CreateVolume(ctx context.Context, spec containersv1.VolumeCreateRequestSpec, request types.UID) (engine.Key, error) {
	return c.create(ctx, containersv1.KindVolume, request, func() (string, error) {
		if c.engine.volumes[spec.Name] != nil {
			return "", conflict("a volume named %s exists already, and this request has not created it", spec.Name)
		}
		v, err := c.engine.createVolume(RequestedVolume(spec, request))
		if err != nil {
			return "", err
		}
		return v.Name, nil
	})
}

// CreateNetwork implements engine.Creator.
func (c *conn) CreateNetwork(ctx context.Context, spec containersv1.NetworkCreateRequestSpec, request types.UID) (engine.Key, error) {
	return c.create(ctx, containersv1.KindNetwork, request, func() (string, error) {
		n, err := c.engine.createNetwork(RequestedNetwork(spec, request))
		if err != nil {
			return "", err
		}
		return n.ID, nil
	})
}
