package v1alpha1

import (
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// VolumeCreateRequestSpec is a volume to create.
type VolumeCreateRequestSpec struct {
	RequestSpec `json:",inline"`

	// Name of the volume. By default it is the name of the request and the beginning of
	// its UID.
	// +kubebuilder:validation:MaxLength=255
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-zA-Z0-9][a-zA-Z0-9_.-]+$')",message="a name has at least two characters, begins with a letter or a digit, and has only letters, digits, '_', '.' and '-'"
	// +optional
	Name string `json:"name,omitempty"`
	// Driver of the volume; local by default.
	// +kubebuilder:default=local
	// +kubebuilder:validation:MaxLength=255
	// +optional
	Driver string `json:"driver,omitempty"`
	// Options of the driver, such as type, device and o for local.
	// +kubebuilder:validation:MaxProperties=100
	// +optional
	Options map[string]string `json:"options,omitempty"`
	// Labels of the volume, in addition to rancherdesktop.io/request.
	// +kubebuilder:validation:MaxProperties=200
	// +kubebuilder:validation:XValidation:rule="!('rancherdesktop.io/request' in self)",message="the label rancherdesktop.io/request is set by rdd: remove it"
	// +kubebuilder:validation:XValidation:rule="self.all(key, key.size() > 0)",message="a label needs a key: give it one, or remove it"
	// +optional
	Labels map[string]string `json:"labels,omitempty"`
}

// VolumeCreateRequest asks for a new volume of the container engine. It fails if the
// engine has another volume of this name. Deleting it does not delete the volume.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=volumecreaterequests,singular=volumecreaterequest,shortName=volreq,categories=rdd
// +kubebuilder:printcolumn:name="Complete",type=string,JSONPath=`.status.conditions[?(@.type=="Complete")].status`
// +kubebuilder:printcolumn:name="Failed",type=string,JSONPath=`.status.conditions[?(@.type=="Failed")].status`
// +kubebuilder:printcolumn:name="Result",type=string,JSONPath=`.status.result.name`,priority=1
// +kubebuilder:printcolumn:name="Message",type=string,JSONPath=`.status.message`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type VolumeCreateRequest struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// Spec is what is requested. Only ttlSecondsAfterFinished can be changed later.
	Spec VolumeCreateRequestSpec `json:"spec"`
	// Status is the observed state of the request. It is read-only.
	Status RequestStatus `json:"status,omitempty"`
}

// VolumeCreateRequestList is a list of VolumeCreateRequests.
// +kubebuilder:object:root=true
type VolumeCreateRequestList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []VolumeCreateRequest `json:"items"`
}

// RequestKind implements Request.
func (*VolumeCreateRequest) RequestKind() RequestKind { return KindVolumeCreateRequest }

// CommonSpec implements Request.
func (r *VolumeCreateRequest) CommonSpec() *RequestSpec { return &r.Spec.RequestSpec }

// CommonStatus implements Request.
func (r *VolumeCreateRequest) CommonStatus() *RequestStatus { return &r.Status }

// CopyRequest implements Request.
func (r *VolumeCreateRequest) CopyRequest() Request { return r.DeepCopy() }

// SameStatus implements Request.
func (r *VolumeCreateRequest) SameStatus(other Request) bool {
	return equality.Semantic.DeepEqual(&r.Status, &other.(*VolumeCreateRequest).Status)
}
