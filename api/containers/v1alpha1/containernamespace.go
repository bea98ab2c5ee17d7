package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// MobyNamespace is the name of the one namespace that a Docker engine has.
const MobyNamespace = "moby"

// ContainerNamespaceStatus is what the engine says.
type ContainerNamespaceStatus struct {
	// Name of the namespace in the engine.
	// +optional
	Name string `json:"name,omitempty"`
}

// ContainerNamespace mirrors a namespace of the engine: moby for Docker.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=containernamespaces,singular=containernamespace
// +kubebuilder:selectablefield:JSONPath=`.status.name`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type ContainerNamespace struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Status ContainerNamespaceStatus `json:"status,omitempty"`
}

// ContainerNamespaceList is a list of ContainerNamespaces.
// +kubebuilder:object:root=true
type ContainerNamespaceList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []ContainerNamespace `json:"items"`
}
