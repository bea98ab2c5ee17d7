package registry

import (
	"bytes"
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// finalizerFields are rdd's finalizer as a field set, in the encoding of
// https://kubernetes.io/docs/reference/using-api/server-side-apply.
const finalizerFields = `{"f:metadata":{"f:finalizers":{".":{},"v:\"` + containersv1.Finalizer + `\"":{}}}}`

// manage records in the managed fields of obj that rdd owns its finalizer and its
// status, as the API server does for a client that writes both. A client's
// server-side apply can then tell which fields are free, and removes no field of
// rdd's. The entries of other managers stay.
//
// The time of an entry is that of the last change; hasNewStatus says whether the
// status changed with this write. So a write that changes nothing stores nothing.
func manage(obj containersv1.Mirror, hasNewStatus bool, now metav1.Time) error {
	status, err := statusFields(obj)
	if err != nil {
		return fmt.Errorf("record who manages %s %s: %w", obj.MirrorKind(), obj.GetName(), err)
	}
	entries := slices.Clone(obj.GetManagedFields())
	if slices.Contains(obj.GetFinalizers(), containersv1.Finalizer) {
		entries = own(entries, "", []byte(finalizerFields), false, now)
	} else {
		entries = slices.DeleteFunc(entries, isOwn(""))
	}
	obj.SetManagedFields(own(entries, containersv1.StatusSubresource, status, hasNewStatus, now))
	return nil
}

// isOwn matches rdd's entry for a subresource, or for the resource itself.
func isOwn(subresource string) func(metav1.ManagedFieldsEntry) bool {
	return func(entry metav1.ManagedFieldsEntry) bool {
		return containersv1.IsOwnManager(entry) && entry.Subresource == subresource
	}
}

// own sets the fields of rdd's entry for a subresource, and its time when the
// fields or their values changed.
func own(entries []metav1.ManagedFieldsEntry, subresource string, fields []byte, changed bool, now metav1.Time) []metav1.ManagedFieldsEntry {
	i := slices.IndexFunc(entries, isOwn(subresource))
	if i < 0 {
		i, entries = len(entries), append(entries, metav1.ManagedFieldsEntry{})
	}
	old := entries[i]
	if !changed && old.Time != nil && old.FieldsV1 != nil && bytes.Equal(old.FieldsV1.GetRawBytes(), fields) {
		return entries
	}
	entries[i] = metav1.ManagedFieldsEntry{
		Manager: containersv1.FieldManager, Operation: metav1.ManagedFieldsOperationUpdate,
		APIVersion: containersv1.GroupVersion.String(), Time: &now,
		FieldsType: "FieldsV1", FieldsV1: metav1.NewFieldsV1(string(fields)), Subresource: subresource,
	}
	return entries
}

// statusFields is the encoded field set of everything in the status of obj.
func statusFields(obj containersv1.Mirror) ([]byte, error) {
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(obj)
	if err != nil {
		return nil, err
	}
	status, _ := content["status"].(map[string]any)
	set := fieldpath.NewSet()
	insert(set, fieldpath.FieldNameElement("status"), status)
	return set.ToJSON()
}

// insert adds a field to a set, with all that is in it. Lists have one owner, but
// for the conditions: their elements have the key "type", as the definitions say.
func insert(set *fieldpath.Set, element fieldpath.PathElement, value any) {
	set.Members.Insert(element)
	switch v := value.(type) {
	case map[string]any:
		for name, child := range v {
			insert(set.Children.Descend(element), fieldpath.FieldNameElement(name), child)
		}
	case []any:
		if element.FieldName == nil || *element.FieldName != "conditions" {
			return
		}
		for _, child := range v {
			condition, _ := child.(map[string]any)
			insert(set.Children.Descend(element), fieldpath.KeyElementByFields("type", condition["type"]), condition)
		}
	}
}
