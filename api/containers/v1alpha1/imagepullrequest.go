package v1alpha1

import (
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ImagePullRequestSpec is an image to pull.
type ImagePullRequestSpec struct {
	RequestSpec `json:",inline"`

	// Image is the reference of the image: a name with an optional registry before and an
	// optional tag or digest after it. Without a tag it is latest.
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="self.matches('^([a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?([.][a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?)*(:[0-9]+)?/)?[a-z0-9]+(([.]|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+(([.]|_|__|-+)[a-z0-9]+)*)*(:[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,127})?(@sha256:[a-f0-9]{64})?$') && !self.matches('^[a-f0-9]{64}$') && self.find('^([^/@:]+(:[0-9]+)?/)?[^:@]*').size() <= 255",message="image must be the reference of an image, such as nginx:1.27, localhost:5000/team/app:1 or nginx@sha256:<64 hex digits>; its name is in lower case"
	Image string `json:"image"`
	// Platform selects the image of one platform: the operating system and the processor,
	// and a variant of the processor if it has some. By default it is the engine's own. A
	// reference to one image, instead of a list of platforms, is pulled as it is.
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9]+/[a-z0-9_]+(/[a-z0-9._]+)?$')",message="platform must be an operating system and a processor, with an optional variant, such as linux/amd64, linux/arm64 or linux/arm/v7"
	// +optional
	Platform string `json:"platform,omitempty"`
}

// ImagePullRequest asks the container engine to pull an image from its registry. The
// credentials are those of the user's Docker configuration. The result is the Image. An
// image that the engine has already is no error. Deleting the request before it is
// finished cancels the pull; it does not delete the image.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=imagepullrequests,singular=imagepullrequest,shortName=pullreq,categories=rdd
// +kubebuilder:printcolumn:name="Complete",type=string,JSONPath=`.status.conditions[?(@.type=="Complete")].status`
// +kubebuilder:printcolumn:name="Failed",type=string,JSONPath=`.status.conditions[?(@.type=="Failed")].status`
// +kubebuilder:printcolumn:name="Result",type=string,JSONPath=`.status.result.name`,priority=1
// +kubebuilder:printcolumn:name="Message",type=string,JSONPath=`.status.message`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type ImagePullRequest struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// Spec is what is requested. Only ttlSecondsAfterFinished can be changed later.
	Spec ImagePullRequestSpec `json:"spec"`
	// Status is the observed state of the request. It is read-only.
	Status RequestStatus `json:"status,omitempty"`
}

// ImagePullRequestList is a list of ImagePullRequests.
// +kubebuilder:object:root=true
type ImagePullRequestList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []ImagePullRequest `json:"items"`
}

// RequestKind implements Request.
func (*ImagePullRequest) RequestKind() RequestKind { return KindImagePullRequest }

// CommonSpec implements Request.
func (r *ImagePullRequest) CommonSpec() *RequestSpec { return &r.Spec.RequestSpec }

// CommonStatus implements Request.
func (r *ImagePullRequest) CommonStatus() *RequestStatus { return &r.Status }

// CopyRequest implements Request.
func (r *ImagePullRequest) CopyRequest() Request { return r.DeepCopy() }

// SameStatus implements Request.
func (r *ImagePullRequest) SameStatus(other Request) bool {
	return equality.Semantic.DeepEqual(&r.Status, &other.(*ImagePullRequest).Status)
}
