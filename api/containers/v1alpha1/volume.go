package v1alpha1

import (
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// VolumeStatus is what the engine says.
type VolumeStatus struct {
	// Name of the volume in the engine.
	// +optional
	Name string `json:"name,omitempty"`
	// Namespace of the engine in which the volume lives.
	// +optional
	Namespace string `json:"namespace,omitempty"`
	// Driver that keeps the volume.
	// +optional
	Driver string `json:"driver,omitempty"`
	// Mountpoint on the engine's host.
	// +optional
	Mountpoint string `json:"mountpoint,omitempty"`
	// Labels of the volume.
	// +optional
	Labels map[string]string `json:"labels,omitempty"`
	// Options of the volume's driver.
	// +optional
	Options map[string]string `json:"options,omitempty"`
	// Scope: local or global.
	// +optional
	Scope string `json:"scope,omitempty"`
	// CreatedAt is when the volume was created.
	// +optional
	CreatedAt *metav1.MicroTime `json:"createdAt,omitempty"`
	// Conditions: EngineDeleted=False while the engine refuses a delete.
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// Volume mirrors a volume of the engine.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=volumes,singular=volume
// +kubebuilder:selectablefield:JSONPath=`.status.name`
// +kubebuilder:selectablefield:JSONPath=`.status.namespace`
// +kubebuilder:printcolumn:name="Volume",type=string,JSONPath=`.status.name`
// +kubebuilder:printcolumn:name="Driver",type=string,JSONPath=`.status.driver`
// +kubebuilder:printcolumn:name="Mountpoint",type=string,JSONPath=`.status.mountpoint`,priority=1
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.status.createdAt`
type Volume struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

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
