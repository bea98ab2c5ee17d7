package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Allow is what a machine lets users of the hub do with its engine. Each value includes
// the ones before it.
// +kubebuilder:validation:Enum=view;operate;create
type Allow string

// The values of Allow.
const (
	// AllowView permits nothing but to see the mirrors.
	AllowView Allow = "view"
	// AllowOperate permits to start, stop and remove what the engine has.
	AllowOperate Allow = "operate"
	// AllowCreate permits requests, such as ContainerCreateRequests and PruneRequests.
	AllowCreate Allow = "create"
)

// MachineSpec is what administrators of the hub decide about a machine.
// +kubebuilder:validation:XValidation:rule="!has(self.staleAfter) || !has(self.removeAfter) || duration(self.removeAfter) >= duration(self.staleAfter)",message="spec.removeAfter must not be shorter than spec.staleAfter"
type MachineSpec struct {
	// User is the name of the Kubernetes user who may write the mirrors and the status of
	// this machine, such as system:serviceaccount:NAME:rdd. 'rdd hub add' also writes it
	// to the annotation hub.rancherdesktop.io/user of the namespace, which must be equal.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	User string `json:"user"`

	// StaleAfter is how long the machine may not renew its Lease before it counts as away,
	// such as 60s or 5m; at least 30s, for which a machine may fail to renew its Lease and
	// still hold it. Its condition Ready is then Unknown, and the mirrors show the last known
	// state.
	// +kubebuilder:validation:Type=string
	// +kubebuilder:default="60s"
	// +kubebuilder:validation:MaxLength=16
	// +kubebuilder:validation:XValidation:rule=`self.matches(r'^([0-9]{1,6}[hms]){1,3}$') && duration(self) >= duration('30s')`,message="spec.staleAfter must be a time of at least 30s, as in 60s or 5m"
	// +optional
	StaleAfter *metav1.Duration `json:"staleAfter,omitempty"`

	// RemoveAfter is how long the mirrors of a machine that is away stay, such as 24h or
	// 30m; at least spec.staleAfter. The objects of its engine are not affected, and their
	// mirrors return with the machine.
	// +kubebuilder:validation:Type=string
	// +kubebuilder:default="24h"
	// +kubebuilder:validation:MaxLength=16
	// +kubebuilder:validation:XValidation:rule=`self.matches(r'^([0-9]{1,6}[hms]){1,3}$')`,message="spec.removeAfter must be a time, as in 24h or 30m"
	// +optional
	RemoveAfter *metav1.Duration `json:"removeAfter,omitempty"`
}

// EngineStatus is the container engine of a machine.
type EngineStatus struct {
	// Version is the version of the engine.
	// +optional
	Version string `json:"version,omitempty"`
	// APIVersion is the version of the engine's API that rdd uses.
	// +optional
	APIVersion string `json:"apiVersion,omitempty"`
}

// ObjectCounts are the numbers of objects of an engine.
type ObjectCounts struct {
	// Containers is the number of containers, in any state.
	Containers int32 `json:"containers"`
	// Running is the number of containers that run.
	Running int32 `json:"running"`
	// Images is the number of tags and of images without a tag.
	Images int32 `json:"images"`
	// Volumes is the number of volumes.
	Volumes int32 `json:"volumes"`
	// Networks is the number of networks.
	Networks int32 `json:"networks"`
}

// MachineStatus is what a machine reports about itself.
type MachineStatus struct {
	// Instance is a UUID of the rdd instance that has joined as this machine. A new
	// instance has another one.
	// +kubebuilder:validation:MaxLength=64
	// +optional
	Instance string `json:"instance,omitempty"`
	// Version is the version of rdd on the machine.
	// +optional
	Version string `json:"version,omitempty"`
	// Engine is the container engine of the machine.
	// +optional
	Engine EngineStatus `json:"engine,omitzero"`
	// Driver is what runs the engine: native, lima or external.
	// +optional
	Driver string `json:"driver,omitempty"`
	// Allow is what the machine lets users of the hub do with its engine: view, operate
	// (start, stop and remove what it has) or create (also carry out requests). 'rdd join'
	// on the machine sets it, and nothing on the hub can extend it.
	// +optional
	Allow Allow `json:"allow,omitempty"`
	// Counts are the numbers of objects of the engine.
	// +optional
	Counts *ObjectCounts `json:"counts,omitempty"`
	// Conditions are Ready and Synced.
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// Machine is a machine whose container engine is mirrored on this hub, into the namespace
// of the same name. 'rdd hub add' creates it, and 'rdd hub remove' removes it with its
// mirrors; both leave the engine of the machine as it is.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Cluster,path=machines,singular=machine,shortName=mach,categories=rdd
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Engine",type=string,JSONPath=`.status.engine.version`
// +kubebuilder:printcolumn:name="Containers",type=integer,JSONPath=`.status.counts.containers`
// +kubebuilder:printcolumn:name="Synced",type=string,JSONPath=`.status.conditions[?(@.type=="Synced")].status`,priority=1
// +kubebuilder:printcolumn:name="Version",type=string,JSONPath=`.status.version`,priority=1
// +kubebuilder:printcolumn:name="Allow",type=string,JSONPath=`.status.allow`,priority=1
// +kubebuilder:printcolumn:name="User",type=string,JSONPath=`.spec.user`,priority=1
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:validation:XValidation:rule="self.metadata.name.size() <= 63 && self.metadata.name.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$')",message="the name of a Machine is also the name of its namespace: use at most 63 lower-case letters, digits and '-', with a letter or a digit at both ends"
type Machine struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// Spec is what administrators of the hub decide about the machine.
	Spec MachineSpec `json:"spec"`
	// Status is what the machine reports about itself. It is read-only for users.
	Status MachineStatus `json:"status,omitempty"`
}

// MachineList is a list of Machines.
// +kubebuilder:object:root=true
type MachineList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Machine `json:"items"`
}
