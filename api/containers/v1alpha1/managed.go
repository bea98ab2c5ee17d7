package v1alpha1

import (
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// FieldManager is the manager, in metadata.managedFields, of the finalizer and
// the status of a mirror.
const FieldManager = "rdd"

// StatusSubresource is the subresource for writes of the status.
const StatusSubresource = "status"

// IsOwnManager reports whether an entry of managed fields is rdd's.
func IsOwnManager(entry metav1.ManagedFieldsEntry) bool {
	return entry.Manager == FieldManager && entry.Operation == metav1.ManagedFieldsOperationUpdate &&
		(entry.Subresource == "" || entry.Subresource == StatusSubresource)
}

// HasOwnManager reports whether the managed fields of a mirror name rdd as the
// manager of everything that rdd writes. Mirrors that an earlier version wrote, or
// whose managed fields a client has reset, do not.
func HasOwnManager(m Mirror) bool {
	status, finalizer := false, !m.MirrorKind().HasFinalizer()
	for _, entry := range m.GetManagedFields() {
		if IsOwnManager(entry) {
			status = status || entry.Subresource == StatusSubresource
			finalizer = finalizer || entry.Subresource == ""
		}
	}
	return status && finalizer
}

// ManagerOf returns the field manager of the last change of a field, such as f:spec, by
// another client than rdd. It is empty if the managed fields do not show that.
func ManagerOf(obj metav1.Object, field string) string { return lastEntryOf(obj, field).Manager }

// ChangedAt returns when another client than rdd last changed a field, such as f:spec, in
// RFC 3339. It is empty if the managed fields do not show that.
func ChangedAt(obj metav1.Object, field string) string {
	at := lastEntryOf(obj, field).Time
	if at == nil {
		return ""
	}
	return at.UTC().Format(time.RFC3339)
}

func lastEntryOf(obj metav1.Object, field string) metav1.ManagedFieldsEntry {
	var last metav1.ManagedFieldsEntry
	for _, entry := range obj.GetManagedFields() {
		isOther := !IsOwnManager(entry) && entry.FieldsV1 != nil && strings.Contains(entry.FieldsV1.GetRawString(), `"`+field+`"`)
		if isOther && (last.Manager == "" || last.Time.Before(entry.Time)) {
			last = entry
		}
	}
	return last
}

// TrimManagedFields removes from the managed fields of a mirror what HasOwnManager
// does not need. Untrimmed they are as large as the rest of the mirror, of which the
// daemon keeps a copy in memory.
func TrimManagedFields(m Mirror) {
	var kept []metav1.ManagedFieldsEntry
	for _, entry := range m.GetManagedFields() {
		if IsOwnManager(entry) {
			kept = append(kept, metav1.ManagedFieldsEntry{
				Manager: entry.Manager, Operation: entry.Operation, Subresource: entry.Subresource,
			})
		}
	}
	m.SetManagedFields(kept)
}
