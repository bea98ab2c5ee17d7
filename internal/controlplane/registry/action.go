package registry

import (
	"context"
	"fmt"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// CompleteAction writes the status of obj and removes the annotation that requested the
// action, in one write. It returns the stored object, and fails with a conflict unless
// obj has the latest revision.
func (m *Mirrors) CompleteAction(ctx context.Context, obj containersv1.Mirror) (containersv1.Mirror, error) {
	return m.update(ctx, obj, func(stored containersv1.Mirror) {
		stored.SetStatusFrom(obj)
		removeAnnotation(stored, containersv1.ActionAnnotation)
	})
}

// removeAnnotation removes an annotation, also from the fields of the manager that has
// set it. Otherwise another manager that applies the annotation later would get a
// conflict. obj belongs to the caller.
func removeAnnotation(obj containersv1.Mirror, name string) {
	annotations := obj.GetAnnotations()
	delete(annotations, name)
	gone := fieldpath.NewSet(fieldpath.MakePathOrDie("metadata", "annotations", name))
	if len(annotations) == 0 {
		annotations = nil
		gone.Insert(fieldpath.MakePathOrDie("metadata", "annotations"))
	}
	obj.SetAnnotations(annotations)
	var kept []metav1.ManagedFieldsEntry
	for _, entry := range obj.GetManagedFields() {
		if entry.FieldsV1 != nil && strings.Contains(entry.FieldsV1.GetRawString(), name) {
			left, err := without(entry.FieldsV1, gone)
			if err == nil && left == nil {
				continue
			}
			if err == nil { // fields that cannot be read stay as they are
				entry.FieldsV1 = left
			}
		}
		kept = append(kept, entry)
	}
	obj.SetManagedFields(kept)
}

// without returns fields without others; nil if none are left.
func without(fields *metav1.FieldsV1, gone *fieldpath.Set) (*metav1.FieldsV1, error) {
	set := fieldpath.NewSet()
	if err := set.FromJSON(strings.NewReader(fields.GetRawString())); err != nil {
		return nil, fmt.Errorf("decode managed fields: %w", err)
	}
	if set = set.Difference(gone); set.Empty() {
		return nil, nil
	}
	raw, err := set.ToJSON()
	if err != nil {
		return nil, fmt.Errorf("encode managed fields: %w", err)
	}
	return metav1.NewFieldsV1(string(raw)), nil
}
