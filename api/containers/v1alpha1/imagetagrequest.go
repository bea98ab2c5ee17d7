package v1alpha1

import (
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ImageTagRequestSpec is a tag to give to an image.
type ImageTagRequestSpec struct {
	RequestSpec `json:",inline"`

	// Image is the reference or the ID of the image.
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="self.matches('^[^\\\\s]+$')",message="image must be the reference or the ID of an image, such as nginx:1.27, without spaces"
	Image string `json:"image"`
	// Tag is the tag to add, such as app:1; it is latest if only a name is given. If another
	// image has the tag, the tag moves.
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="self.matches('^([a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?([.][a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?)*(:[0-9]+)?/)?[a-z0-9]+(([.]|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+(([.]|_|__|-+)[a-z0-9]+)*)*(:[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,127})?$') && !self.matches('^[a-f0-9]{64}$') && self.find('^([^/@:]+(:[0-9]+)?/)?[^:@]*').size() <= 255",message="tag must be a name with an optional tag, such as localhost:5000/team/app:1, without a digest; the name is in lower case"
	Tag string `json:"tag"`
}

// ImageTagRequest asks the container engine to give an image another tag. The result is
// the Image of the new tag. An image that has the tag already is no error. Deleting the
// request does not remove the tag.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=imagetagrequests,singular=imagetagrequest,shortName=tagreq,categories=rdd
// +kubebuilder:printcolumn:name="Complete",type=string,JSONPath=`.status.conditions[?(@.type=="Complete")].status`
// +kubebuilder:printcolumn:name="Failed",type=string,JSONPath=`.status.conditions[?(@.type=="Failed")].status`
// +kubebuilder:printcolumn:name="Result",type=string,JSONPath=`.status.result.name`,priority=1
// +kubebuilder:printcolumn:name="Message",type=string,JSONPath=`.status.message`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type ImageTagRequest struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// Spec is what is requested. Only ttlSecondsAfterFinished can be changed later.
	Spec ImageTagRequestSpec `json:"spec"`
	// Status is the observed state of the request. It is read-only.
	Status RequestStatus `json:"status,omitempty"`
}

// ImageTagRequestList is a list of ImageTagRequests.
// +kubebuilder:object:root=true
type ImageTagRequestList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []ImageTagRequest `json:"items"`
}

// RequestKind implements Request.
func (*ImageTagRequest) RequestKind() RequestKind { return KindImageTagRequest }

// CommonSpec implements Request.
func (r *ImageTagRequest) CommonSpec() *RequestSpec { return &r.Spec.RequestSpec }

// CommonStatus implements Request.
func (r *ImageTagRequest) CommonStatus() *RequestStatus { return &r.Status }

// CopyRequest implements Request.
func (r *ImageTagRequest) CopyRequest() Request { return r.DeepCopy() }

// SameStatus implements Request.
func (r *ImageTagRequest) SameStatus(other Request) bool {
	return equality.Semantic.DeepEqual(&r.Status, &other.(*ImageTagRequest).Status)
}
