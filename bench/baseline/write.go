package baseline

import (
	"context"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// fieldOwner owns the applied fields.
const fieldOwner = client.FieldOwner("baseline")

// apply writes the object, and then its status by another call.
func (m *Mirrorer) apply(ctx context.Context, obj containersv1.Mirror) error {
	dateConditions(obj)
	whole, err := runtime.DefaultUnstructuredConverter.ToUnstructured(obj)
	if err != nil {
		return fmt.Errorf("encode %s %s: %w", obj.MirrorKind(), obj.GetName(), err)
	}
	object := m.empty(obj)
	if obj.MirrorKind().HasFinalizer() {
		object.SetFinalizers([]string{containersv1.Finalizer})
	}
	if err := m.client.Apply(ctx, client.ApplyConfigurationFromUnstructured(object), fieldOwner, client.ForceOwnership); err != nil {
		return fmt.Errorf("apply %s %s: %w", obj.MirrorKind(), obj.GetName(), err)
	}
	status := m.empty(obj)
	status.Object["status"] = whole["status"]
	if err := m.client.Status().Apply(ctx, client.ApplyConfigurationFromUnstructured(status), fieldOwner, client.ForceOwnership); err != nil {
		return fmt.Errorf("apply the status of %s %s: %w", obj.MirrorKind(), obj.GetName(), err)
	}
	return nil
}

func (m *Mirrorer) empty(obj containersv1.Mirror) *unstructured.Unstructured {
	u := &unstructured.Unstructured{Object: map[string]any{}}
	u.SetGroupVersionKind(GroupVersion.WithKind(string(obj.MirrorKind())))
	u.SetName(obj.GetName())
	u.SetNamespace(m.namespace)
	return u
}

// dateConditions sets the times of conditions to a constant, so that an unchanged object
// is applied without a change.
func dateConditions(obj containersv1.Mirror) {
	c, ok := obj.(*containersv1.Container)
	if !ok {
		return
	}
	at := metav1.Unix(0, 0)
	for _, t := range []*metav1.MicroTime{c.Status.CreatedAt, c.Status.StartedAt, c.Status.FinishedAt} {
		if t != nil && t.After(at.Time) {
			at = metav1.NewTime(t.Time)
		}
	}
	for i := range c.Status.Conditions {
		c.Status.Conditions[i].LastTransitionTime = at
	}
}

// remove removes a mirror: its finalizer first, for which the delete would wait.
func (m *Mirrorer) remove(ctx context.Context, obj client.Object) error {
	if len(obj.GetFinalizers()) > 0 {
		obj.SetFinalizers(nil)
		if err := m.client.Update(ctx, obj); err != nil {
			return client.IgnoreNotFound(err)
		}
	}
	return client.IgnoreNotFound(m.client.Delete(ctx, obj))
}
