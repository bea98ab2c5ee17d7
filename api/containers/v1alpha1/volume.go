package v1alpha1

import (
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// VolumeStatus is the observed state of a volume.
type VolumeStatus struct {
	// Name is the name of the volume in the engine.
	// +optional
	Name string `json:"name,omitempty"`
	// Namespace is the namespace of the engine that has the volume.
	// +optional
	Namespace string `json:"namespace,omitempty"`
	// Driver is the volume driver.
	// +optional
	Driver string `json:"driver,omitempty"`
	// Mountpoint is the path of the volume on the engine's host.
	// +optional
	Mountpoint string `json:"mountpoint,omitempty"`
	// Labels are the labels of the volume. Those that are valid in Kubernetes are also
	// labels of this resource.
	// +optional
	Labels map[string]string `json:"labels,omitempty"`
	// Options are the options of the volume driver.
	// +optional
	Options map[string]string `json:"options,omitempty"`
	// Scope is local for a volume of one host, and global for one of a cluster.
	// +optional
	Scope string `json:"scope,omitempty"`
	// CreatedAt is the time at which the volume was created.
	// +optional
	CreatedAt *metav1.MicroTime `json:"createdAt,omitempty"`
	// Conditions report requests that the engine refused. EngineDeleted is False
	// while the engine refuses to remove the volume. Held and Mirrored report a
	// finalizer of another controller, and a failure of rdd.
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// Volume mirrors one volume of the container engine. Deleting it removes the
// volume and the data in it.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=volumes,singular=volume,shortName=vol,categories=rdd
// +kubebuilder:selectablefield:JSONPath=`.status.name`
// +kubebuilder:selectablefield:JSONPath=`.status.namespace`
// +kubebuilder:printcolumn:name="Volume",type=string,JSONPath=`.status.name`
// +kubebuilder:printcolumn:name="Driver",type=string,JSONPath=`.status.driver`
// +kubebuilder:printcolumn:name="Mountpoint",type=string,JSONPath=`.status.mountpoint`,priority=1
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.status.createdAt`
type Volume struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// Status is the observed state of the volume. It is read-only.
	Status VolumeStatus `json:"status,omitempty"`
}

// VolumeList is a list of Volumes.
// +kubebuilder:object:root=true
type VolumeList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Volume `json:"items"`
}

// MirrorKind implements Mirror.
func (*Volume) MirrorKind() Kind { return KindVolume }

// ObjectID implements Mirror.
func (v *Volume) ObjectID() string { return v.Status.Name }

// DisplayName implements Mirror.
func (v *Volume) DisplayName() string { return v.Status.Name }

// EngineLabels implements Mirror.
func (v *Volume) EngineLabels() map[string]string { return v.Status.Labels }

// MirrorConditions implements Mirror.
func (v *Volume) MirrorConditions() *[]metav1.Condition { return &v.Status.Conditions }

// SetStatusFrom implements Mirror.
func (v *Volume) SetStatusFrom(m Mirror) { v.Status = m.(*Volume).Status }

// CopyMirror implements Mirror.
func (v *Volume) CopyMirror() Mirror { return v.DeepCopy() }

// SameStatus implements Mirror.
func (v *Volume) SameStatus(m Mirror) bool {
	return equality.Semantic.DeepEqual(&v.Status, &m.(*Volume).Status)
}
