package cluster

import (
	"encoding/json"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// userManager is the field manager of users.
const userManager = "kubectl"

// userChanged records that a user has just changed a field of an object, which belongs to the
// caller.
func userChanged(obj client.Object, fields string) {
	kept := slices.DeleteFunc(slices.Clone(obj.GetManagedFields()), func(e metav1.ManagedFieldsEntry) bool {
		return e.Manager == userManager && e.FieldsV1.GetRawString() == fields
	})
	now := metav1.NewTime(time.Now().Truncate(time.Second))
	obj.SetManagedFields(append(kept, metav1.ManagedFieldsEntry{
		Manager: userManager, Operation: metav1.ManagedFieldsOperationUpdate, Time: &now,
		FieldsType: "FieldsV1", FieldsV1: metav1.NewFieldsV1(fields),
	}))
}

// metadataFields are the fields of the metadata that rdd manages.
type metadataFields struct {
	Metadata struct {
		Labels map[string]struct{} `json:"f:labels,omitempty"`
	} `json:"f:metadata"`
}

// OwnsLabel reports whether rdd manages a label of a mirror.
func OwnsLabel(obj client.Object, label string) bool {
	for _, e := range obj.GetManagedFields() {
		var fields metadataFields
		if e.Manager != containersv1.FieldManager || e.Subresource != "" || e.FieldsV1 == nil {
			continue
		}
		if json.Unmarshal([]byte(e.FieldsV1.GetRawString()), &fields) != nil {
			continue
		}
		if _, ok := fields.Metadata.Labels["f:"+label]; ok {
			return true
		}
	}
	return false
}

// ManageLabels makes rdd the manager of a mirror, and of those of its labels that owns
// selects. The mirror belongs to the caller.
func ManageLabels(obj containersv1.Mirror, owns func(label string) bool) {
	var fields metadataFields
	for label := range obj.GetLabels() {
		if owns(label) {
			if fields.Metadata.Labels == nil {
				fields.Metadata.Labels = map[string]struct{}{}
			}
			fields.Metadata.Labels["f:"+label] = struct{}{}
		}
	}
	raw, err := json.Marshal(fields) // with sorted keys
	if err != nil {
		panic(err)
	}
	own := slices.DeleteFunc(slices.Clone(obj.GetManagedFields()), containersv1.IsOwnManager)
	own = append(own, metav1.ManagedFieldsEntry{
		Manager: containersv1.FieldManager, Operation: metav1.ManagedFieldsOperationUpdate,
		FieldsType: "FieldsV1", FieldsV1: metav1.NewFieldsV1(string(raw)),
	}, metav1.ManagedFieldsEntry{
		Manager: containersv1.FieldManager, Operation: metav1.ManagedFieldsOperationUpdate, Subresource: containersv1.StatusSubresource,
	})
	obj.SetManagedFields(own)
}
