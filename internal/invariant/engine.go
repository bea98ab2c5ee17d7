package invariant

import (
	"context"
	"fmt"
	"sync"

	"golang.org/x/sync/errgroup"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine/docker"
)

// readers is how many objects are read at once.
const readers = 8

// Object is one object of the engine.
type Object struct {
	identity identity
	label    string
	fields   fields
}

// Picture has all objects of an engine.
type Picture struct {
	Objects []Object
	// Unread are objects that the engine lists, and that could not be read.
	Unread []Difference
}

// Source reads all objects of an engine.
type Source func(ctx context.Context) (Picture, error)

// Nothing returns the source of a stopped engine, which has no objects.
func Nothing() Source {
	return func(context.Context) (Picture, error) { return Picture{}, nil }
}

// FromEngine reads through the interface that the daemon uses. It works with every
// implementation, and finds no error in their mappings.
func FromEngine(engine docker.API) Source {
	return func(ctx context.Context) (Picture, error) {
		p := newCollector()
		containers, err := engine.ListContainers(ctx)
		if err != nil {
			return Picture{}, fmt.Errorf("list the engine's containers: %w", err)
		}
		images, err := engine.ListImages(ctx)
		if err != nil {
			return Picture{}, fmt.Errorf("list the engine's images: %w", err)
		}
		volumes, err := engine.ListVolumes(ctx)
		if err != nil {
			return Picture{}, fmt.Errorf("list the engine's volumes: %w", err)
		}
		for _, volume := range volumes {
			p.mirror(volume)
		}
		networks, err := engine.ListNetworks(ctx)
		if err != nil {
			return Picture{}, fmt.Errorf("list the engine's networks: %w", err)
		}
		p.each(ctx, containersv1.KindNetwork, networks, func(ctx context.Context, id string) error {
			network, err := engine.Network(ctx, id)
			if err == nil {
				p.mirror(network)
			}
			return err
		})
		p.each(ctx, containersv1.KindContainer, containers, func(ctx context.Context, id string) error {
			container, err := engine.Container(ctx, id)
			if err == nil {
				p.mirror(container)
			}
			return err
		})
		p.each(ctx, containersv1.KindImage, docker.ImageIDs(images), func(ctx context.Context, id string) error {
			tags, err := engine.Images(ctx, id)
			for _, image := range tags {
				p.mirror(image)
			}
			return err
		})
		return p.finish(ctx)
	}
}

// collector collects a picture from parallel readers.
type collector struct {
	mu      sync.Mutex
	picture Picture
	err     error
}

// newCollector returns a collector with the object that every Docker engine has.
func newCollector() *collector {
	p := &collector{}
	moby := &containersv1.ContainerNamespace{}
	moby.Status.Name = containersv1.MobyNamespace
	p.mirror(moby)
	return p
}

// mirror adds an object as the daemon maps it.
func (p *collector) mirror(m containersv1.Mirror) {
	f, err := fieldsOf(m)
	p.add(Object{identityOf(m), m.DisplayName(), f}, err)
}

func (p *collector) add(object Object, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err != nil {
		p.err = err
		return
	}
	p.picture.Objects = append(p.picture.Objects, object)
}

// each reads objects. It skips objects that were removed meanwhile, and records those
// that cannot be read.
func (p *collector) each(ctx context.Context, kind containersv1.Kind, ids []string, read func(context.Context, string) error) {
	var group errgroup.Group
	group.SetLimit(readers)
	for _, id := range ids {
		group.Go(func() error {
			err := read(ctx, id)
			if err == nil || docker.IsNotFound(err) {
				return nil
			}
			p.mu.Lock()
			defer p.mu.Unlock()
			p.picture.Unread = append(p.picture.Unread, Difference{Problem: Unread, Kind: kind, Name: id, Engine: err.Error()})
			return nil
		})
	}
	_ = group.Wait() // each reading records its own error
}

// finish returns the picture, or the error that prevented it.
func (p *collector) finish(ctx context.Context) (Picture, error) {
	if err := ctx.Err(); err != nil {
		return Picture{}, fmt.Errorf("read the engine's objects: %w", err)
	}
	return p.picture, p.err
}
