package registry

import (
	"fmt"
	"maps"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/registry/generic"
	"k8s.io/apiserver/pkg/registry/rest"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/controlplane/datastore"
)

// View reads the resources of one kind, mirrors or requests, as typed objects. Selectors
// work as for clients. Its watches share their objects, so callers may only encode them.
type View interface {
	rest.Getter
	rest.Lister
	rest.Watcher
}

// NewView returns the view of a resource whose types are in scheme.
func NewView(resource schema.GroupResource, object, list func() runtime.Object, scheme *runtime.Scheme, store *datastore.Store) (View, error) {
	s := storeOf(resource, scheme)
	s.NewFunc, s.NewListFunc = object, list
	err := s.CompleteWithOptions(&generic.StoreOptions{RESTOptions: store.RESTOptions(codecOf(scheme), nil), AttrFunc: attributes})
	if err != nil {
		return nil, fmt.Errorf("open the view of %s: %w", resource, err)
	}
	return s, nil
}

// attributes returns what selectors can select by.
func attributes(obj runtime.Object) (labels.Set, fields.Set, error) {
	m, err := meta.Accessor(obj)
	if err != nil {
		return nil, nil, err
	}
	set := fields.Set{"metadata.name": m.GetName(), "metadata.namespace": m.GetNamespace()}
	maps.Copy(set, SelectableFields(obj))
	return m.GetLabels(), set, nil
}

// SelectableFields returns the fields of the status that field selectors can select by,
// by their paths. They are the same as in the definition of the kind.
func SelectableFields(obj runtime.Object) fields.Set {
	switch m := obj.(type) {
	case *containersv1.Container:
		return fields.Set{"status.name": m.Status.Name, "status.namespace": m.Status.Namespace, "status.status": string(m.Status.Status)}
	case *containersv1.Image:
		return fields.Set{"status.id": m.Status.ID, "status.repoTag": m.Status.RepoTag, "status.namespace": m.Status.Namespace}
	case *containersv1.Volume:
		return fields.Set{"status.name": m.Status.Name, "status.namespace": m.Status.Namespace}
	case *containersv1.Network:
		return fields.Set{"status.id": m.Status.ID, "status.name": m.Status.Name, "status.namespace": m.Status.Namespace}
	case *containersv1.ContainerNamespace:
		return fields.Set{"status.name": m.Status.Name}
	default:
		return nil
	}
}
