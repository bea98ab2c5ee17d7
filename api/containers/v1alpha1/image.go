package v1alpha1

import (
	"cmp"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ImageStatus is the observed state of an image.
type ImageStatus struct {
	// ID is the ID of the image, such as sha256:….
	// +optional
	ID string `json:"id,omitempty"`
	// RepoTag is the tag that this resource mirrors. It is empty for an untagged
	// image.
	// +optional
	RepoTag string `json:"repoTag,omitempty"`
	// RepoDigests are the digests of the image in repositories, sorted.
	// +optional
	RepoDigests []string `json:"repoDigests,omitempty"`
	// Namespace is the namespace of the engine that has the image.
	// +optional
	Namespace string `json:"namespace,omitempty"`
	// CreatedAt is the time at which the image was built.
	// +optional
	CreatedAt *metav1.MicroTime `json:"createdAt,omitempty"`
	// Architecture is the CPU architecture of the image, such as amd64 or arm64.
	// +optional
	Architecture string `json:"architecture,omitempty"`
	// OS is the operating system of the image, such as linux.
	// +optional
	OS string `json:"os,omitempty"`
	// Size is the size of the image in bytes.
	// +optional
	Size int64 `json:"size,omitempty"`
	// HumanSize is the size for people, such as 4.26MB, as docker images shows it. It
	// exists because a column of a table can only show a field as it is.
	// +optional
	HumanSize string `json:"humanSize,omitempty"`
	// Labels are the labels of the image. Those that are valid in Kubernetes are also
	// labels of this resource.
	// +optional
	Labels map[string]string `json:"labels,omitempty"`
	// Conditions report requests that the engine refused. EngineDeleted is False
	// while the engine refuses to remove the tag. Held and Mirrored report a
	// finalizer of another controller, and a failure of rdd.
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// Image mirrors one tag of an image of the container engine, or an untagged
// image. Deleting it removes the tag, and the image with its last tag.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=images,singular=image,shortName=img,categories=rdd
// +kubebuilder:selectablefield:JSONPath=`.status.id`
// +kubebuilder:selectablefield:JSONPath=`.status.repoTag`
// +kubebuilder:selectablefield:JSONPath=`.status.namespace`
// +kubebuilder:printcolumn:name="Tag",type=string,JSONPath=`.status.repoTag`
// +kubebuilder:printcolumn:name="ID",type=string,JSONPath=`.status.id`,priority=1
// +kubebuilder:printcolumn:name="Size",type=string,JSONPath=`.status.humanSize`
// +kubebuilder:printcolumn:name="Arch",type=string,JSONPath=`.status.architecture`,priority=1
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.status.createdAt`
type Image struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// Status is the observed state of the image. It is read-only.
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

// EngineLabels implements Mirror.
func (i *Image) EngineLabels() map[string]string { return i.Status.Labels }

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
