package kube

import (
	"context"
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// Informers keep a copy of the App, of every mirror, and of every request.
type Informers struct{ cache cache.Cache }

// Mirrors lists and watches mirrors for the informers, without HTTP.
type Mirrors interface {
	ListerWatcher(containersv1.Kind) toolscache.ListerWatcher
}

// NewInformers returns informers that read the App and requests with config, and mirrors
// from mirrors.
func NewInformers(config *rest.Config, mirrors Mirrors) (*Informers, error) {
	scheme, err := NewScheme()
	if err != nil {
		return nil, err
	}
	c, err := cache.New(config, cache.Options{
		Scheme: scheme, Mapper: newMapper(),
		DefaultTransform: trim,
		NewInformer:      informerMaker(mirrors),
	})
	if err != nil {
		return nil, fmt.Errorf("create the informers' cache: %w", err)
	}
	return &Informers{cache: c}, nil
}

// trim removes the managed fields. For a mirror it keeps those that show whether rdd is
// one of its managers, and stores the labels once.
func trim(obj any) (any, error) {
	switch o := obj.(type) {
	case containersv1.Mirror:
		containersv1.TrimManagedFields(o)
		containersv1.ShareLabels(o)
	case client.Object:
		o.SetManagedFields(nil)
	}
	return obj, nil
}

// informerMaker returns a function that creates informers. Those of mirrors use no HTTP.
func informerMaker(mirrors Mirrors) func(toolscache.ListerWatcher, runtime.Object, time.Duration, toolscache.Indexers) toolscache.SharedIndexInformer {
	return func(lw toolscache.ListerWatcher, obj runtime.Object, resync time.Duration, indexers toolscache.Indexers) toolscache.SharedIndexInformer {
		if m, ok := obj.(containersv1.Mirror); ok {
			lw = mirrors.ListerWatcher(m.MirrorKind())
		}
		return toolscache.NewSharedIndexInformer(lw, obj, resync, indexers)
	}
}

// Run runs the informers until ctx ends. It can be called once.
func (i *Informers) Run(ctx context.Context) error {
	for _, obj := range slices.Concat(MirrorObjects(), RequestObjects(), []client.Object{&appv1.App{}}) {
		if _, err := i.cache.GetInformer(ctx, obj, cache.BlockUntilSynced(false)); err != nil {
			return fmt.Errorf("create an informer for %T: %w", obj, err)
		}
	}
	if err := i.cache.Start(ctx); err != nil {
		return fmt.Errorf("run the informers: %w", err)
	}
	return nil
}

// WaitForSync returns when the informers have read their first lists.
func (i *Informers) WaitForSync(ctx context.Context) error {
	if !i.cache.WaitForCacheSync(ctx) {
		return fmt.Errorf("read the first lists of the informers: %w", context.Cause(ctx))
	}
	return nil
}

// MirrorObjects returns an empty object of each mirrored kind.
func MirrorObjects() []client.Object {
	var objects []client.Object
	for _, kind := range containersv1.Kinds() {
		objects = append(objects, containersv1.NewMirror(kind))
	}
	return objects
}

// RequestObjects returns an empty object of each kind of request.
func RequestObjects() []client.Object {
	var objects []client.Object
	for _, kind := range containersv1.RequestKinds() {
		objects = append(objects, containersv1.NewRequest(kind))
	}
	return objects
}
