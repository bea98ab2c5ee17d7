package invariant

import (
	"context"
	"fmt"
	"sync"

	"golang.org/x/sync/errgroup"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
)

// readers is how many objects are read at once.
const readers = 8

// Object is one object of the engine.
type Object struct {
	identity identity
	label    string
	fields   fields
	// volatile are fields that change without an event, and are not compared.
	volatile map[string]bool
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
	moby.Name, moby.Status.Name = containersv1.MobyNamespace, containersv1.MobyNamespace
	p.mirror(moby)
	return p
}

// mirror adds an object as the daemon maps it.
func (p *collector) mirror(m containersv1.Mirror) {
	f, err := fieldsOf(m)
	if err != nil {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.err = err
		return
	}
	p.addAll([]Object{{identity: identityOf(m), label: m.DisplayName(), fields: f}})
}

func (p *collector) addAll(objects []Object) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.picture.Objects = append(p.picture.Objects, objects...)
}

// each reads objects. It skips objects that were removed meanwhile, and records those
// that cannot be read.
func (p *collector) each(ctx context.Context, kind containersv1.Kind, ids []string, read func(context.Context, string) error) {
	var group errgroup.Group
	group.SetLimit(readers)
	for _, id := range ids {
		group.Go(func() error {
			err := read(ctx, id)
			if err == nil || engine.IsNotFound(err) {
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
