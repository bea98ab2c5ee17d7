package controlplane

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apiserver/pkg/registry/rest"
	namespacestorage "k8s.io/kubernetes/pkg/registry/core/namespace/storage"
)

// namespaceREST is the registry of namespaces without the finalizers of the garbage
// collector. Other registries omit them by an option; the one of namespaces ignores the
// option.
type namespaceREST struct{ *namespacestorage.REST }

// Delete implements [rest.GracefulDeleter]. With every propagation policy it deletes
// the contents of the namespace and then the namespace.
func (r namespaceREST) Delete(ctx context.Context, name string, validate rest.ValidateObjectFunc, options *metav1.DeleteOptions) (runtime.Object, bool, error) {
	if options == nil {
		options = metav1.NewDeleteOptions(0)
	}
	background := metav1.DeletePropagationBackground
	options.PropagationPolicy = &background
	options.OrphanDependents = nil //nolint:staticcheck // the deprecated form of a propagation policy
	return r.REST.Delete(ctx, name, validate, options)
}
