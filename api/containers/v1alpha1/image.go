package v1alpha1

import (
	"cmp"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ImageStatus is what the engine says.
type ImageStatus struct {
	// ID of the image, such as sha256:….
	// +optional
	ID string `json:"id,omitempty"`
	// RepoTag is the one tag this resource stands for; empty for an untagged image.
	// +optional
	RepoTag string `json:"repoTag,omitempty"`
	// RepoDigests of the image, sorted.
	// +optional
	RepoDigests []string `json:"repoDigests,omitempty"`
	// Namespace of the engine in which the image lives.
	// +optional
	Namespace string `json:"namespace,omitempty"`
	// CreatedAt is when the image was built.
	// +optional
	CreatedAt *metav1.MicroTime `json:"createdAt,omitempty"`
	// Architecture, in Go's words (amd64, arm64).
	// +optional
	Architecture string `json:"architecture,omitempty"`
	// OS, in Go's words (linux).
	// +optional
	OS string `json:"os,omitempty"`
	// Size in bytes.
	// +optional
	Size int64 `json:"size,omitempty"`
	// Labels of the image.
	// +optional
	Labels map[string]string `json:"labels,omitempty"`
	// Conditions: EngineDeleted=False while the engine refuses a delete.
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// Image mirrors one tag of an image of the engine, or an image without tags.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=images,singular=image
// +kubebuilder:selectablefield:JSONPath=`.status.id`
// +kubebuilder:selectablefield:JSONPath=`.status.repoTag`
// +kubebuilder:selectablefield:JSONPath=`.status.namespace`
// +kubebuilder:printcolumn:name="Tag",type=string,JSONPath=`.status.repoTag`
// +kubebuilder:printcolumn:name="ID",type=string,JSONPath=`.status.id`,priority=1
// +kubebuilder:printcolumn:name="Size",type=integer,JSONPath=`.status.size`
// +kubebuilder:printcolumn:name="Arch",type=string,JSONPath=`.status.architecture`,priority=1
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.status.createdAt`
type Image struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Status ImageStatus `json:"status,omitempty"`
}

// ImageList is a list of Images.
// +kubebuilder:object:root=true
type ImageList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Image `json:"items"`
}

// MirrorKind implements Mirror.
func (*Image) MirrorKind() Kind { return KindImage }

// ObjectID implements Mirror.
func (i *Image) ObjectID() string { return i.Status.ID }

// DisplayName implements Mirror.
func (i *Image) DisplayName() string { return cmp.Or(i.Status.RepoTag, i.Status.ID) }

// MirrorConditions implements Mirror.
func (i *Image) MirrorConditions() *[]metav1.Condition { return &i.Status.Conditions }

// SetStatusFrom implements Mirror.
func (i *Image) SetStatusFrom(m Mirror) { i.Status = m.(*Image).Status }

// CopyMirror implements Mirror.
func (i *Image) CopyMirror() Mirror { return i.DeepCopy() }

// SameStatus implements Mirror.
func (i *Image) SameStatus(m Mirror) bool {
	return equality.Semantic.DeepEqual(&i.Status, &m.(*Image).Status)
}
