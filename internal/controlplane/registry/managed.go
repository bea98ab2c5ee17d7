package registry

import (
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// statusFields are the whole status as one field. Only rdd writes the status, so its
// fields need no separate owners. A list of them would be most of a small mirror, and
// would cost time in each write, watch event and client.
const statusFields = `{"f:status":{}}`

// manage records in the managed fields of obj that rdd owns its finalizer, the labels of
// the engine's object, and its status. So a client's server-side apply conflicts only with
// fields of rdd, and removes none of them. relabeled are the labels that this write
// changes: other managers no longer own them. The rest of their entries stays.
//
// The time of an entry is that of its last change; hasNewStatus is set if this write
// changes the status. So a write without a change stores nothing.
func manage(obj containersv1.Mirror, hasNewStatus bool, relabeled []string, now metav1.Time) {
	entries := disowned(slices.Clone(obj.GetManagedFields()), relabeled)
	if fields := metadataFields(obj); fields != "" {
		entries = own(entries, "", fields, len(relabeled) > 0, now)
	} else {
		entries = slices.DeleteFunc(entries, isOwn(""))
	}
	obj.SetManagedFields(own(entries, containersv1.StatusSubresource, statusFields, hasNewStatus, now))
}

// metadataFields returns rdd's finalizer and the labels of the engine's object as a field
// set, in the encoding of https://kubernetes.io/docs/reference/using-api/server-side-apply.
// It is empty if the resource has neither.
func metadataFields(obj containersv1.Mirror) string {
	var parts []string
	if slices.Contains(obj.GetFinalizers(), containersv1.Finalizer) {
		parts = append(parts, finalizerFields)
	}
	var labels []string
	for key, value := range obj.EngineLabels() {
		if have, ok := obj.GetLabels()[key]; ok && have == value {
			labels = append(labels, `"f:`+key+`":{}`) // a valid key needs no escapes
		}
	}
	if len(labels) > 0 {
		slices.Sort(labels)
		parts = append(parts, `"f:labels":{`+strings.Join(labels, ",")+`}`)
	}
	if len(parts) == 0 {
		return ""
	}
	return `{"f:metadata":{` + strings.Join(parts, ",") + `}}`
}

// finalizerFields are rdd's finalizer below the metadata.
const finalizerFields = `"f:finalizers":{"v:\"` + containersv1.Finalizer + `\"":{}}`

// disowned removes labels from the entries of other managers. An entry that cannot be read
// stays as it is.
func disowned(entries []metav1.ManagedFieldsEntry, labels []string) []metav1.ManagedFieldsEntry {
	if len(labels) == 0 {
		return entries
	}
	removed := fieldpath.NewSet()
	for _, label := range labels {
		removed.Insert(fieldpath.MakePathOrDie("metadata", "labels", label))
	}
	var left []metav1.ManagedFieldsEntry
	for _, entry := range entries {
		set := &fieldpath.Set{}
		if containersv1.IsOwnManager(entry) || entry.FieldsV1 == nil || set.FromJSON(strings.NewReader(entry.FieldsV1.GetRawString())) != nil {
			left = append(left, entry)
			continue
		}
		rest := set.Difference(removed)
		if rest.Empty() {
			continue
		}
		if text, err := rest.ToJSON(); err == nil && !rest.Equals(set) {
			entry.FieldsV1 = metav1.NewFieldsV1(string(text))
		}
		left = append(left, entry)
	}
	return left
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
