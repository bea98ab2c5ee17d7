// Package v1alpha1 has the App resource: the desired state of an rdd instance, which
// users set, and its observed state, which rdd reports.
//
// +kubebuilder:object:generate=true
// +groupName=app.rancherdesktop.io
package v1alpha1
