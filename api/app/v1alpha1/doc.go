// Package v1alpha1 holds the App resource: the one place where a user says
// what should be (spec) and where rdd says what is (status).
//
// +kubebuilder:object:generate=true
// +groupName=app.rancherdesktop.io
package v1alpha1
