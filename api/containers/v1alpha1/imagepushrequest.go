package v1alpha1

import (
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ImagePushRequestSpec is an image to push.
type ImagePushRequestSpec struct {
	RequestSpec `json:",inline"`

	// Image is the tag to push, with the registry before the name. Without a tag it is
	// latest.
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="self.matches('^([a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?([.][a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?)*(:[0-9]+)?/)?[a-z0-9]+(([.]|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+(([.]|_|__|-+)[a-z0-9]+)*)*(:[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,127})?$') && !self.matches('^[a-f0-9]{64}$') && self.find('^([^/@:]+(:[0-9]+)?/)?[^:@]*').size() <= 255",message="image must be a tag of an image, such as localhost:5000/team/app:1, without a digest; its name is in lower case"
	Image string `json:"image"`
}

// ImagePushRequestStatus is the observed state of an ImagePushRequest.
type ImagePushRequestStatus struct {
	RequestStatus `json:",inline"`

	// Digest is the digest of the pushed image in the registry: sha256:<64 hex digits>. It
	// is set when the request is complete.
	// +optional
	Digest string `json:"digest,omitempty"`
}

// ImagePushRequest asks the container engine to push an image to its registry. The
// credentials are those of the user's Docker configuration. Deleting the request before it
// is finished cancels the push.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=imagepushrequests,singular=imagepushrequest,shortName=pushreq,categories=rdd
// +kubebuilder:printcolumn:name="Complete",type=string,JSONPath=`.status.conditions[?(@.type=="Complete")].status`
// +kubebuilder:printcolumn:name="Failed",type=string,JSONPath=`.status.conditions[?(@.type=="Failed")].status`
// +kubebuilder:printcolumn:name="Result",type=string,JSONPath=`.status.result.name`,priority=1
// +kubebuilder:printcolumn:name="Message",type=string,JSONPath=`.status.message`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type ImagePushRequest struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// Spec is what is requested. Only ttlSecondsAfterFinished can be changed later.
	Spec ImagePushRequestSpec `json:"spec"`
	// Status is the observed state of the request. It is read-only.
	Status ImagePushRequestStatus `json:"status,omitempty"`
}

// ImagePushRequestList is a list of ImagePushRequests.
// +kubebuilder:object:root=true
type ImagePushRequestList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []ImagePushRequest `json:"items"`
}

// RequestKind implements Request.
func (*ImagePushRequest) RequestKind() RequestKind { return KindImagePushRequest }

// CommonSpec implements Request.
func (r *ImagePushRequest) CommonSpec() *RequestSpec { return &r.Spec.RequestSpec }

// CommonStatus implements Request.
func (r *ImagePushRequest) CommonStatus() *RequestStatus { return &r.Status.RequestStatus }

// CopyRequest implements Request.
func (r *ImagePushRequest) CopyRequest() Request { return r.DeepCopy() }

// SameStatus implements Request.
func (r *ImagePushRequest) SameStatus(other Request) bool {
	return equality.Semantic.DeepEqual(&r.Status, &other.(*ImagePushRequest).Status)
}
