package kube

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// Handler is told of each change. Objects are the informers' own copies and
// must not be changed. Calls come from several goroutines, in order for each kind.
type Handler interface {
	// Changed: obj was added or changed.
	Changed(obj client.Object)
	// Removed: obj, in its last known state, is gone.
	Removed(obj client.Object)
}

// Informers keep a copy of the App and of every mirror.
type Informers struct {
	cache     cache.Cache
	listeners []*listener
}

// Mirrors is where mirrors are followed, past HTTP.
type Mirrors interface {
	ListerWatcher(containersv1.Kind) toolscache.ListerWatcher
}

// NewInformers prepares informers over config, and of the mirrors, that tell
// handler of each change.
func NewInformers(ctx context.Context, config *rest.Config, mirrors Mirrors, handler Handler) (*Informers, error) {
	scheme, err := NewScheme()
	if err != nil {
		return nil, err
	}
	c, err := cache.New(config, cache.Options{
		Scheme: scheme, Mapper: newMapper(),
		DefaultTransform: trimManagedFields,
		NewInformer:      informerMaker(mirrors),
	})
	if err != nil {
		return nil, fmt.Errorf("make the informers' cache: %w", err)
	}
	i := &Informers{cache: c}
	for _, obj := range watched() {
		inf, err := c.GetInformer(ctx, obj, cache.BlockUntilSynced(false))
		if err != nil {
			return nil, fmt.Errorf("make an informer for %T: %w", obj, err)
		}
		l, err := listen(inf, handler)
		if err != nil {
			return nil, fmt.Errorf("listen to the informer for %T: %w", obj, err)
		}
		i.listeners = append(i.listeners, l)
	}
	return i, nil
}

// trimManagedFields leaves of the managed fields only what says whether rdd is
// among the managers of a mirror.
func trimManagedFields(obj any) (any, error) {
	switch o := obj.(type) {
	case containersv1.Mirror:
		containersv1.TrimManagedFields(o)
	case client.Object:
		o.SetManagedFields(nil)
	}
	return obj, nil
}

// informerMaker makes the informers of the mirrors follow them where they are kept.
func informerMaker(mirrors Mirrors) func(toolscache.ListerWatcher, runtime.Object, time.Duration, toolscache.Indexers) toolscache.SharedIndexInformer {
	return func(lw toolscache.ListerWatcher, obj runtime.Object, resync time.Duration, indexers toolscache.Indexers) toolscache.SharedIndexInformer {
		if m, ok := obj.(containersv1.Mirror); ok {
			lw = mirrors.ListerWatcher(m.MirrorKind())
		}
		return toolscache.NewSharedIndexInformer(lw, obj, resync, indexers)
	}
}

// Run keeps the informers up to date until ctx ends.
func (i *Informers) Run(ctx context.Context) error {
	if err := i.cache.Start(ctx); err != nil {
		return fmt.Errorf("run the informers: %w", err)
	}
	return nil
}

// WaitForSync returns once the handler has been told of every object that was
// there at the start.
func (i *Informers) WaitForSync(ctx context.Context) error {
	for _, l := range i.listeners {
		if err := l.told(ctx); err != nil {
			return fmt.Errorf("the informers did not read their first lists in time: %w", err)
		}
	}
	return nil
}

// Replay tells the handler of every object again, as if it were new, and then
// returns. Only one may run at a time.
func (i *Informers) Replay(ctx context.Context) error {
	for _, l := range i.listeners {
		if err := l.replay(ctx); err != nil {
			return fmt.Errorf("tell again what an informer knows: %w", err)
		}
	}
	return nil
}

func watched() []client.Object {
	return []client.Object{
		&appv1.App{}, &containersv1.Container{}, &containersv1.Image{},
		&containersv1.Volume{}, &containersv1.ContainerNamespace{},
	}
}
