package registry_test

import (
	"context"
	"encoding/json"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// writer has the writes of the daemon.
type writer interface {
	Create(context.Context, containersv1.Mirror) (containersv1.Mirror, error)
	UpdateStatus(context.Context, containersv1.Mirror) (containersv1.Mirror, error)
	CompleteAction(context.Context, containersv1.Mirror) (containersv1.Mirror, error)
	Claim(context.Context, containersv1.Mirror) (containersv1.Mirror, error)
	Remove(context.Context, containersv1.Mirror) (containersv1.Mirror, error)
}

// overHTTP writes as any client of the API does. The registry must have the same
// results.
type overHTTP struct{ client dynamic.Interface }

var _ writer = overHTTP{}

func (w overHTTP) of(obj containersv1.Mirror) dynamic.ResourceInterface {
	return w.client.Resource(obj.MirrorKind().GroupVersionResource()).Namespace(obj.GetNamespace())
}

// Create takes two writes, because a create ignores the status.
func (w overHTTP) Create(ctx context.Context, obj containersv1.Mirror) (containersv1.Mirror, error) {
	obj = obj.CopyMirror()
	obj.SetLabels(labelsOf(obj))
	created, err := typed(obj)(w.of(obj).Create(ctx, asUnstructured(obj), metav1.CreateOptions{FieldManager: containersv1.FieldManager}))
	if err != nil {
		return nil, err
	}
	created.SetStatusFrom(obj)
	return w.writeStatus(ctx, created)
}

// UpdateStatus takes two writes if labels change, because a write of the status ignores
// them.
func (w overHTTP) UpdateStatus(ctx context.Context, obj containersv1.Mirror) (containersv1.Mirror, error) {
	stored, err := typed(obj)(w.of(obj).Get(ctx, obj.GetName(), metav1.GetOptions{}))
	if err != nil {
		return nil, err
	}
	labels := map[string]any{}
	for key, value := range labelsOf(obj) {
		if have, ok := stored.GetLabels()[key]; !ok || have != value {
			labels[key] = value
		}
	}
	for key := range labelsOf(stored) {
		if _, ok := labelsOf(obj)[key]; !ok {
			labels[key] = nil
		}
	}
	stale := stored.GetResourceVersion() != obj.GetResourceVersion() || stored.GetUID() != obj.GetUID()
	if stale || len(labels) == 0 {
		return w.writeStatus(ctx, obj)
	}
	labeled, err := w.patch(ctx, obj, "labels", labels)
	if err != nil {
		return nil, err
	}
	labeled.SetStatusFrom(obj)
	return w.writeStatus(ctx, labeled)
}

// labelsOf returns the labels that a mirror has from the engine's object. The samples
// have one valid label at most.
func labelsOf(obj containersv1.Mirror) map[string]string {
	for key, value := range obj.EngineLabels() {
		if key == "b" || key == "only" {
			return map[string]string{key: value}
		}
	}
	return nil
}

func (w overHTTP) writeStatus(ctx context.Context, obj containersv1.Mirror) (containersv1.Mirror, error) {
	return typed(obj)(w.of(obj).UpdateStatus(ctx, asUnstructured(obj), metav1.UpdateOptions{FieldManager: containersv1.FieldManager}))
}

// CompleteAction takes two writes, because a write of the status changes no annotation.
func (w overHTTP) CompleteAction(ctx context.Context, obj containersv1.Mirror) (containersv1.Mirror, error) {
	written, err := w.UpdateStatus(ctx, obj)
	if err != nil {
		return nil, err
	}
	patch := []byte(`{"metadata":{"annotations":{"` + containersv1.ActionAnnotation + `":null}}}`)
	return typed(obj)(w.of(obj).Patch(ctx, written.GetName(), types.MergePatchType, patch, metav1.PatchOptions{FieldManager: containersv1.FieldManager}))
}

func (w overHTTP) Claim(ctx context.Context, obj containersv1.Mirror) (containersv1.Mirror, error) {
	if !obj.MirrorKind().HasFinalizer() {
		return w.setFinalizers(ctx, obj, foreignOf(obj))
	}
	return w.setFinalizers(ctx, obj, append(foreignOf(obj), containersv1.Finalizer))
}

// Remove takes two writes, because a finalizer holds the object.
func (w overHTTP) Remove(ctx context.Context, obj containersv1.Mirror) (containersv1.Mirror, error) {
	stripped, err := w.setFinalizers(ctx, obj, foreignOf(obj))
	if err != nil || obj.GetDeletionTimestamp() != nil {
		if len(foreignOf(obj)) == 0 {
			stripped = nil
		}
		return stripped, err
	}
	uid, version := stripped.GetUID(), stripped.GetResourceVersion()
	options := metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &uid, ResourceVersion: &version}}
	if err := w.of(obj).Delete(ctx, obj.GetName(), options); err != nil {
		return nil, err
	}
	left, err := typed(obj)(w.of(obj).Get(ctx, obj.GetName(), metav1.GetOptions{}))
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	return left, err
}

func (w overHTTP) setFinalizers(ctx context.Context, obj containersv1.Mirror, finalizers []string) (containersv1.Mirror, error) {
	return w.patch(ctx, obj, "finalizers", finalizers)
}

// patch changes a field of the metadata.
func (w overHTTP) patch(ctx context.Context, obj containersv1.Mirror, field string, value any) (containersv1.Mirror, error) {
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{
		"uid": obj.GetUID(), "resourceVersion": obj.GetResourceVersion(), field: value,
	}})
	if err != nil {
		return nil, err
	}
	return typed(obj)(w.of(obj).Patch(ctx, obj.GetName(), types.MergePatchType, patch, metav1.PatchOptions{FieldManager: containersv1.FieldManager}))
}

// typed converts a response of the API server into a mirror of the kind of like.
func typed(like containersv1.Mirror) func(*unstructured.Unstructured, error) (containersv1.Mirror, error) {
	return func(answer *unstructured.Unstructured, err error) (containersv1.Mirror, error) {
		if err != nil {
			return nil, err
		}
		result := containersv1.NewMirror(like.MirrorKind())
		return result, runtime.DefaultUnstructuredConverter.FromUnstructured(answer.Object, result)
	}
}

// foreignOf returns the finalizers of other controllers.
func foreignOf(obj containersv1.Mirror) []string {
	result := []string{}
	for _, finalizer := range obj.GetFinalizers() {
		if finalizer != containersv1.Finalizer {
			result = append(result, finalizer)
		}
	}
	return result
}
