// Package v1alpha1 holds the mirrors: Container, Image, Volume and
// ContainerNamespace, each the picture of one object of the container engine.
//
// +kubebuilder:object:generate=true
// +groupName=containers.rancherdesktop.io
package v1alpha1
