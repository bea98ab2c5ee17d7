package home

import (
	"context"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// source lists and watches the namespace of this machine for informers.
type source struct {
	client    rest.Interface
	namespace string
}

// ListerWatcher implements kube.Source.
func (s source) ListerWatcher(obj runtime.Object) cache.ListerWatcher {
	switch o := obj.(type) {
	case containersv1.Mirror:
		kind := o.MirrorKind()
		return s.listWatch(resourceOf(kind), func() runtime.Object { return containersv1.NewMirrorList(kind) }, isNoError)
	case containersv1.Request:
		kind := o.RequestKind()
		return s.listWatch(kind.GroupVersionResource().Resource, func() runtime.Object { return containersv1.NewRequestList(kind) }, apierrors.IsNotFound)
	default:
		return nil
	}
}

// isNoError is for kinds that each hub defines.
func isNoError(error) bool { return false }

// listWatch lists and watches a resource. An error of the list for which isEmpty returns true
// means that there are no objects: an older hub does not define each kind of request.
func (s source) listWatch(resource string, newList func() runtime.Object, isEmpty func(error) bool) cache.ListerWatcher {
	get := func(options metav1.ListOptions) *rest.Request {
		return s.client.Get().Namespace(s.namespace).Resource(resource).VersionedParams(&options, metav1.ParameterCodec)
	}
	return &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
			list := newList()
			err := get(options).Do(ctx).Into(list)
			if isEmpty(err) {
				return newList(), nil
			}
			return list, err
		},
		WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
			options.Watch = true
			return get(options).Watch(ctx)
		},
	}
}

// Prepare implements kube.Source.
func (source) Prepare(obj runtime.Object) { claimManager(obj) }
