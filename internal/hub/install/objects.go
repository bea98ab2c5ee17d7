package install

import (
	"fmt"
	"maps"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	hubv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/hub/v1alpha1"
)

// FieldManager is the manager of the fields that an installation writes.
const FieldManager = "rdd-hub"

// ManagedByLabel is the label of every object of a hub, with the value ManagedBy. An
// update deletes outdated objects by this label.
const (
	ManagedByLabel = "app.kubernetes.io/managed-by"
	ManagedBy      = "rdd-hub"
)

// Objects returns the objects of a hub without its machines, in the order in which they
// are applied: definitions of resources, roles, admission policies, what the controller needs,
// flow schemas. version is that of rdd; empty if it is not known.
func Objects(version string) ([]*unstructured.Unstructured, error) {
	all, err := definitions()
	if err != nil {
		return nil, err
	}
	policies, err := policies()
	if err != nil {
		return nil, err
	}
	var typed []client.Object
	for _, role := range roles() {
		typed = append(typed, role)
	}
	typed = append(typed, machinesBinding())
	for _, policy := range policies {
		typed = append(typed, policy.policy, policy.binding)
	}
	typed = append(typed, controllerObjects()...)
	for _, flow := range flows() {
		typed = append(typed, flow)
	}
	scheme, err := NewScheme()
	if err != nil {
		return nil, err
	}
	for _, object := range typed {
		u, err := Unstructured(scheme, object)
		if err != nil {
			return nil, err
		}
		all = append(all, u)
	}
	for _, object := range all {
		label(object)
		record(object, version)
	}
	return all, nil
}

// label marks an object as one of the hub.
func label(object *unstructured.Unstructured) {
	labels := map[string]string{}
	maps.Copy(labels, object.GetLabels())
	labels[ManagedByLabel] = ManagedBy
	object.SetLabels(labels)
}

// record notes which version of rdd an object is from.
func record(object *unstructured.Unstructured, version string) {
	if version == "" {
		return
	}
	annotations := map[string]string{}
	maps.Copy(annotations, object.GetAnnotations())
	annotations[hubv1.VersionAnnotation] = version
	object.SetAnnotations(annotations)
}

// Unstructured returns the desired state of a typed object for a server-side apply: its
// type, and neither a status nor what the API server sets.
func Unstructured(scheme *runtime.Scheme, object client.Object) (*unstructured.Unstructured, error) {
	kinds, _, err := scheme.ObjectKinds(object)
	if err != nil {
		return nil, fmt.Errorf("find the kind of %s: %w", object.GetName(), err)
	}
	fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
	if err != nil {
		return nil, fmt.Errorf("encode %s %s: %w", kinds[0].Kind, object.GetName(), err)
	}
	u := &unstructured.Unstructured{Object: fields}
	u.SetGroupVersionKind(kinds[0])
	u.SetManagedFields(nil)
	unstructured.RemoveNestedField(u.Object, "status")
	unstructured.RemoveNestedField(u.Object, "metadata", "creationTimestamp")
	return u, nil
}

// crdKind is the kind of definitions of resources.
func crdKind() schema.GroupKind {
	return schema.GroupKind{Group: "apiextensions.k8s.io", Kind: "CustomResourceDefinition"}
}
