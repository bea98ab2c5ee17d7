package kube

import (
	"context"
	"fmt"
	"net/http"
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

// Informers keep a copy of every object of some kinds.
type Informers struct {
	cache cache.Cache
	// objects are empty ones, of each kind.
	objects []client.Object
}

// Source lists and watches objects for the informers.
type Source interface {
	// ListerWatcher lists and watches the kind of obj. It returns nil for a kind that the
	// informers read over HTTP, in all namespaces.
	ListerWatcher(obj runtime.Object) toolscache.ListerWatcher
	// Prepare changes an object that was read, before anything else sees it.
	Prepare(obj runtime.Object)
}

// NewInformers returns informers of the kinds of objects. They read from source, or else
// with config. A nil httpClient means one for config.
func NewInformers(config *rest.Config, httpClient *http.Client, source Source, objects ...client.Object) (*Informers, error) {
	scheme, err := NewScheme()
	if err != nil {
		return nil, err
	}
	c, err := cache.New(config, cache.Options{
		Scheme: scheme, Mapper: newMapper(), HTTPClient: httpClient,
		DefaultTransform: trim(source.Prepare),
		NewInformer:      informerMaker(source),
	})
	if err != nil {
		return nil, fmt.Errorf("create the informers' cache: %w", err)
	}
	return &Informers{cache: c, objects: objects}, nil
}

// trim returns a function that removes the managed fields. For a mirror it keeps those that
// show whether rdd is one of its managers, and stores the labels once.
func trim(prepare func(runtime.Object)) toolscache.TransformFunc {
	return func(obj any) (any, error) {
		if o, ok := obj.(runtime.Object); ok {
			prepare(o)
		}
		switch o := obj.(type) {
		case containersv1.Mirror:
			containersv1.TrimManagedFields(o)
			containersv1.ShareLabels(o)
		case client.Object:
			o.SetManagedFields(nil)
		}
		return obj, nil
	}
}

// informerMaker returns a function that creates informers, which read from source what it
// has.
func informerMaker(source Source) func(toolscache.ListerWatcher, runtime.Object, time.Duration, toolscache.Indexers) toolscache.SharedIndexInformer {
	return func(lw toolscache.ListerWatcher, obj runtime.Object, resync time.Duration, indexers toolscache.Indexers) toolscache.SharedIndexInformer {
		if from := source.ListerWatcher(obj); from != nil {
			lw = from
		}
		return toolscache.NewSharedIndexInformer(lw, obj, resync, indexers)
	}
}

// Run runs the informers until ctx ends. It can be called once.
func (i *Informers) Run(ctx context.Context) error {
	for _, obj := range i.objects {
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

// AllObjects returns an empty object of each kind of which the daemon needs a copy: the
// App, the mirrors and the requests.
func AllObjects() []client.Object {
	return slices.Concat([]client.Object{&appv1.App{}}, MirrorObjects(), RequestObjects())
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
