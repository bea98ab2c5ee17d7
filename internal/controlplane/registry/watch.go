package registry

import (
	"context"

	metainternalversion "k8s.io/apimachinery/pkg/apis/meta/internalversion"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	genericregistry "k8s.io/apiserver/pkg/registry/generic/registry"
	"k8s.io/client-go/tools/cache"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// ListerWatcher lets an informer follow the mirrors of the kind of obj in all namespaces. It
// returns nil for an object that is no mirror.
func (m *Mirrors) ListerWatcher(obj runtime.Object) cache.ListerWatcher {
	mirror, ok := obj.(containersv1.Mirror)
	if !ok {
		return nil
	}
	return listerWatcher{m.stores[mirror.MirrorKind()]}
}

// Prepare implements kube.Source. What the registry stores needs no preparation.
func (m *Mirrors) Prepare(runtime.Object) {}

// listerWatcher is a [cache.ListerWatcherWithContext]. It ignores all options but the
// revision of a watch, because the informers of the daemon use no others.
type listerWatcher struct{ store *genericregistry.Store }

var _ cache.ListerWatcherWithContext = listerWatcher{}

// List implements [cache.Lister].
func (l listerWatcher) List(options metav1.ListOptions) (runtime.Object, error) {
	return l.ListWithContext(context.Background(), options)
}

// Watch implements [cache.Watcher].
func (l listerWatcher) Watch(options metav1.ListOptions) (watch.Interface, error) {
	return l.WatchWithContext(context.Background(), options)
}

// ListWithContext implements [cache.ListerWithContext].
func (l listerWatcher) ListWithContext(ctx context.Context, _ metav1.ListOptions) (runtime.Object, error) {
	return l.store.List(ctx, &metainternalversion.ListOptions{})
}

// WatchWithContext implements [cache.WatcherWithContext].
func (l listerWatcher) WatchWithContext(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
	return l.store.Watch(ctx, &metainternalversion.ListOptions{ResourceVersion: options.ResourceVersion})
}

// IsWatchListSemanticsUnSupported returns true, so that informers list before they watch.
func (listerWatcher) IsWatchListSemanticsUnSupported() bool { return true }
