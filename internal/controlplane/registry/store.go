package registry

import (
	"context"

	genericvalidation "k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/apiserver/pkg/registry/generic"
	genericregistry "k8s.io/apiserver/pkg/registry/generic/registry"
	"k8s.io/apiserver/pkg/registry/rest"
	"k8s.io/apiserver/pkg/storage/names"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/controlplane/datastore"
)

// newStore returns the registry of a kind. It has the same keys and the same encoding as
// the server of custom resources.
func newStore(kind containersv1.Kind, scheme *runtime.Scheme, store *datastore.Store) (*genericregistry.Store, error) {
	s := storeOf(kind.GroupVersionResource().GroupResource(), scheme)
	s.NewFunc = func() runtime.Object { return containersv1.NewMirror(kind) }
	s.NewListFunc = func() runtime.Object { return containersv1.NewMirrorList(kind) }
	return s, s.CompleteWithOptions(&generic.StoreOptions{RESTOptions: store.InProcessOptions(codecOf(scheme))})
}

// storeOf returns a registry without types.
func storeOf(resource schema.GroupResource, scheme *runtime.Scheme) *genericregistry.Store {
	return &genericregistry.Store{
		DefaultQualifiedResource:  resource,
		SingularQualifiedResource: resource,
		CreateStrategy:            strategy{scheme, names.SimpleNameGenerator},
		UpdateStrategy:            strategy{scheme, names.SimpleNameGenerator},
		DeleteStrategy:            strategy{scheme, names.SimpleNameGenerator},
		TableConvertor:            rest.NewDefaultTableConvertor(resource),
	}
}

// strategy leaves the rules for metadata to the generic registry. The rest of an object
// needs no rules, because the daemon has made it.
type strategy struct {
	*runtime.Scheme
	names.NameGenerator
}

var (
	_ rest.RESTCreateStrategy = strategy{}
	_ rest.RESTUpdateStrategy = strategy{}
	_ rest.RESTDeleteStrategy = strategy{}
)

// NamespaceScoped implements [rest.RESTCreateStrategy].
func (strategy) NamespaceScoped() bool { return true }

// PrepareForCreate implements [rest.RESTCreateStrategy].
func (strategy) PrepareForCreate(_ context.Context, obj runtime.Object) {
	obj.(metav1.Object).SetGeneration(1)
}

// PrepareForUpdate implements [rest.RESTUpdateStrategy]. It keeps
// the generation, which counts changes of the spec.
func (strategy) PrepareForUpdate(context.Context, runtime.Object, runtime.Object) {}

// Validate implements [rest.RESTCreateStrategy]. It refuses invalid names.
func (strategy) Validate(_ context.Context, obj runtime.Object) field.ErrorList {
	return genericvalidation.ValidateObjectMetaAccessor(obj.(metav1.Object), true, genericvalidation.NameIsDNSSubdomain, field.NewPath("metadata"))
}

// ValidateUpdate implements [rest.RESTUpdateStrategy].
func (strategy) ValidateUpdate(context.Context, runtime.Object, runtime.Object) field.ErrorList {
	return nil
}

// WarningsOnCreate implements [rest.RESTCreateStrategy].
func (strategy) WarningsOnCreate(context.Context, runtime.Object) []string { return nil }

// WarningsOnUpdate implements [rest.RESTUpdateStrategy].
func (strategy) WarningsOnUpdate(context.Context, runtime.Object, runtime.Object) []string {
	return nil
}

// Canonicalize implements [rest.RESTCreateStrategy].
func (strategy) Canonicalize(runtime.Object) {}

// AllowCreateOnUpdate implements [rest.RESTUpdateStrategy].
func (strategy) AllowCreateOnUpdate(context.Context) bool { return false }

// AllowUnconditionalUpdate implements [rest.RESTUpdateStrategy].
func (strategy) AllowUnconditionalUpdate(context.Context) bool { return false }
