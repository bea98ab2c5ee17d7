package controlplane

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apiserver/pkg/registry/rest"
	namespacestorage "k8s.io/kubernetes/pkg/registry/core/namespace/storage"
)

// namespaceREST is the registry of namespaces without the garbage collector, which
// does not run here. The other registries leave its finalizers out by themselves;
// that of namespaces sets them whatever its options say.
type namespaceREST struct{ *namespacestorage.REST }

// Delete implements [rest.GracefulDeleter]. Every propagation policy deletes what
// is in the namespace and then the namespace.
func (r namespaceREST) Delete(ctx context.Context, name string, validate rest.ValidateObjectFunc, options *metav1.DeleteOptions) (runtime.Object, bool, error) {
	if options == nil {
		options = metav1.NewDeleteOptions(0)
	}
	background := metav1.DeletePropagationBackground
	options.PropagationPolicy = &background
	options.OrphanDependents = nil //nolint:staticcheck // the field of before propagation policies
	return r.REST.Delete(ctx, name, validate, options)
}
