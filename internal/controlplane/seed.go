package controlplane

import (
	"context"
	"fmt"

	apiequality "k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	genericregistry "k8s.io/apiserver/pkg/registry/generic/registry"
	"k8s.io/apiserver/pkg/registry/rest"
	"k8s.io/apiserver/pkg/storage"
)

// definition is an object that is part of the program, such as a policy. A start updates
// the stored object to the program's.
//
// Definitions are written before anything is served, so the first list of every watch
// contains them. They are not validated then, because tests validate them.
type definition struct {
	registry *genericregistry.Store
	desired  runtime.Object
	// overlay copies the fields that rdd owns from desired to existing.
	overlay func(existing, desired runtime.Object)
	// finish sets the fields that the API server's strategies clear; it may be nil.
	finish func(runtime.Object)
}

// ensure creates or updates the stored object, and reports whether it wrote anything.
func (d definition) ensure(ctx context.Context) (bool, error) {
	accessor, err := meta.Accessor(d.desired)
	if err != nil {
		return false, err
	}
	written, err := d.write(ctx, accessor.GetName())
	if err != nil {
		return false, fmt.Errorf("write %s %q to the datastore: %w", d.registry.DefaultQualifiedResource, accessor.GetName(), err)
	}
	return written, nil
}

func (d definition) write(ctx context.Context, name string) (bool, error) {
	key, err := d.registry.KeyFunc(ctx, name)
	if err != nil {
		return false, err
	}
	existing := d.registry.NewFunc()
	err = d.registry.Storage.Get(ctx, key, storage.GetOptions{}, existing)
	if storage.IsNotFound(err) {
		return true, d.create(ctx, key)
	}
	if err != nil {
		return false, err
	}
	if apiequality.Semantic.DeepEqual(existing, d.updated(ctx, existing)) {
		return false, nil
	}
	update := storage.SimpleUpdate(func(current runtime.Object) (runtime.Object, error) {
		return d.updated(ctx, current), nil
	})
	return true, d.registry.Storage.GuaranteedUpdate(ctx, key, d.registry.NewFunc(), false, nil, update, false, nil)
}

func (d definition) create(ctx context.Context, key string) error {
	object := d.desired.DeepCopyObject()
	accessor, err := meta.Accessor(object)
	if err != nil {
		return err
	}
	rest.FillObjectMetaSystemFields(accessor)
	d.registry.CreateStrategy.PrepareForCreate(ctx, object)
	if d.finish != nil {
		d.finish(object)
	}
	return d.registry.Storage.Create(ctx, key, object, d.registry.NewFunc(), 0, false)
}

func (d definition) updated(ctx context.Context, existing runtime.Object) runtime.Object {
	object := existing.DeepCopyObject()
	d.overlay(object, d.desired)
	d.registry.UpdateStrategy.PrepareForUpdate(ctx, object, existing)
	if d.finish != nil {
		d.finish(object)
	}
	return object
}
