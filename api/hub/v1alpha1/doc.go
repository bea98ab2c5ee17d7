// Package v1alpha1 has the Machine resource of a hub: a Kubernetes API in which many
// machines mirror their container engines, each in a namespace of its own. The daemon's
// own API server does not serve this group.
//
// Reading map: machine.go has the Machine, names.go the labels, annotations and names by
// which hub and machines find each other, conditions.go the conditions of a Machine,
// register.go the scheme.
//
// +kubebuilder:object:generate=true
// +groupName=hub.rancherdesktop.io
package v1alpha1
