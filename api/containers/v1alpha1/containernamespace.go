package v1alpha1

import (
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// MobyNamespace is the only namespace of a Docker engine.
const MobyNamespace = "moby"

// ContainerNamespaceStatus is the observed state of a namespace of the engine.
type ContainerNamespaceStatus struct {
	// Name is the name of the namespace in the engine.
	// +optional
	Name string `json:"name,omitempty"`
}

// ContainerNamespace mirrors one namespace of the container engine, which is
// moby for Docker. It cannot be deleted.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=containernamespaces,singular=containernamespace,shortName=cns,categories=rdd
// +kubebuilder:selectablefield:JSONPath=`.status.name`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type ContainerNamespace struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// Status is the observed state of the namespace. It is read-only.
	Status ContainerNamespaceStatus `json:"status,omitempty"`
}

// ContainerNamespaceList is a list of ContainerNamespaces.
// +kubebuilder:object:root=true
type ContainerNamespaceList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []ContainerNamespace `json:"items"`
}

// MirrorKind implements Mirror.
func (*ContainerNamespace) MirrorKind() Kind { return KindContainerNamespace }

// ObjectID implements Mirror.
func (n *ContainerNamespace) ObjectID() string { return n.Name }

// DisplayName implements Mirror.
func (n *ContainerNamespace) DisplayName() string { return n.Name }

// EngineLabels implements Mirror.
func (*ContainerNamespace) EngineLabels() map[string]string { return nil }

// MirrorConditions implements Mirror.
func (*ContainerNamespace) MirrorConditions() *[]metav1.Condition { return nil }

// SetStatusFrom implements Mirror.
func (n *ContainerNamespace) SetStatusFrom(m Mirror) { n.Status = m.(*ContainerNamespace).Status }

// CopyMirror implements Mirror.
func (n *ContainerNamespace) CopyMirror() Mirror { return n.DeepCopy() }

// SameStatus implements Mirror.
func (n *ContainerNamespace) SameStatus(m Mirror) bool {
	return equality.Semantic.DeepEqual(&n.Status, &m.(*ContainerNamespace).Status)
}
