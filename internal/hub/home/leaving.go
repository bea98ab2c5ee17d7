package home

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	hubv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/hub/v1alpha1"
)

// IsLeaving reports whether the mirrors of a kind are being deleted because their
// namespace, or the definition of the kind, is. Such a deletion concerns the hub, and none
// of the engine's objects. A mirror asks before it removes an object.
//
// An administrator or the hub's controller marks a namespace before it removes the mirrors in
// it, and an administrator marks a definition before its removal. A delete that is pending
// then waits: the mark goes with the namespace or the definition, or before the machine
// writes its mirrors again.
func (h *Home) IsLeaving(ctx context.Context, kind containersv1.Kind) (bool, error) {
	isLeaving, err := h.isLeaving(ctx, kind)
	if isLeaving {
		h.leaving()
	}
	return isLeaving, err
}

func (h *Home) isLeaving(ctx context.Context, kind containersv1.Kind) (bool, error) {
	if err := h.fence.check(); err != nil {
		return false, err
	}
	namespace := &corev1.Namespace{}
	if gone, err := h.isGoing(ctx, namespace, h.namespace); gone || err != nil {
		return gone, err
	}
	if isEmptied(namespace) {
		return false, fmt.Errorf("the mirrors of machine %s are being removed from the hub: the delete waits until that ends", h.namespace)
	}
	definition := &metav1.PartialObjectMetadata{}
	definition.SetGroupVersionKind(apiextensionsv1.SchemeGroupVersion.WithKind("CustomResourceDefinition"))
	if gone, err := h.isGoing(ctx, definition, definitionOf(kind)); gone || err != nil {
		return gone, err
	}
	if isEmptied(definition) {
		return false, fmt.Errorf("the definition of %s has the annotation %s, because an administrator removes it from the hub: the delete waits until the annotation or the definition is gone", resourceOf(kind), hubv1.EmptiedAnnotation)
	}
	return false, nil
}

// isEmptied reports whether the mirrors of a namespace or of a definition are being removed.
func isEmptied(obj client.Object) bool {
	_, isEmptied := obj.GetAnnotations()[hubv1.EmptiedAnnotation]
	return isEmptied
}

// isGoing reads an object, and reports whether it is missing or being deleted.
func (h *Home) isGoing(ctx context.Context, obj client.Object, name string) (bool, error) {
	err := h.direct.Get(ctx, client.ObjectKey{Name: name}, obj)
	if apierrors.IsNotFound(err) {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("find out whether the hub deletes %s, which would be no request to remove an object: %w", name, err)
	}
	return obj.GetDeletionTimestamp() != nil, nil
}

// definitionOf returns the name of the definition of a kind.
func definitionOf(kind containersv1.Kind) string {
	return resourceOf(kind) + "." + containersv1.GroupVersion.Group
}

// EnsureNamespace returns an error unless the namespace of this machine exists and stays.
// Only an administrator of the hub can create it.
func (h *Home) EnsureNamespace(ctx context.Context, name string) error {
	gone, err := h.isGoing(ctx, &corev1.Namespace{}, name)
	if err == nil && gone {
		return fmt.Errorf("the hub has no namespace %s, or deletes it: an administrator adds this machine with 'rdd hub add %s'", name, name)
	}
	return err
}
