package registry

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// finalizerFields are rdd's finalizer as a field set, in the encoding of
// https://kubernetes.io/docs/reference/using-api/server-side-apply.
const finalizerFields = `{"f:metadata":{"f:finalizers":{"v:\"` + containersv1.Finalizer + `\"":{}}}}`

// statusFields are the whole status as one field. Only rdd writes the status, so its
// fields need no separate owners. A list of them would be most of a small mirror, and
// would cost time in each write, watch event and client.
const statusFields = `{"f:status":{}}`

// manage records in the managed fields of obj that rdd owns its finalizer and its
// status. So a client's server-side apply conflicts only with fields of rdd, and
// removes none of them. The entries of other managers stay.
//
// The time of an entry is that of its last change; hasNewStatus is set if this write
// changes the status. So a write without a change stores nothing.
func manage(obj containersv1.Mirror, hasNewStatus bool, now metav1.Time) {
	entries := slices.Clone(obj.GetManagedFields())
	if slices.Contains(obj.GetFinalizers(), containersv1.Finalizer) {
		entries = own(entries, "", finalizerFields, false, now)
	} else {
		entries = slices.DeleteFunc(entries, isOwn(""))
	}
	obj.SetManagedFields(own(entries, containersv1.StatusSubresource, statusFields, hasNewStatus, now))
}

// isOwn returns a function that matches rdd's entry for a subresource, or for the
// resource itself if subresource is empty.
func isOwn(subresource string) func(metav1.ManagedFieldsEntry) bool {
	return func(entry metav1.ManagedFieldsEntry) bool {
		return containersv1.IsOwnManager(entry) && entry.Subresource == subresource
	}
}

// own sets the fields of rdd's entry for a subresource, and its time when the
// fields or their values changed.
func own(entries []metav1.ManagedFieldsEntry, subresource, fields string, changed bool, now metav1.Time) []metav1.ManagedFieldsEntry {
	i := slices.IndexFunc(entries, isOwn(subresource))
	if i < 0 {
		i, entries = len(entries), append(entries, metav1.ManagedFieldsEntry{})
	}
	old := entries[i]
	if !changed && old.Time != nil && old.FieldsV1 != nil && old.FieldsV1.GetRawString() == fields {
		return entries
	}
	entries[i] = metav1.ManagedFieldsEntry{
		Manager: containersv1.FieldManager, Operation: metav1.ManagedFieldsOperationUpdate,
		APIVersion: containersv1.GroupVersion.String(), Time: &now,
		FieldsType: "FieldsV1", FieldsV1: metav1.NewFieldsV1(fields), Subresource: subresource,
	}
	return entries
}
