package v1alpha1

import (
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ContainerCreateRequestSpec is a container to create. Its fields have the names of a
// Pod's where a Pod has them.
//
// +kubebuilder:validation:XValidation:rule="!has(self.maxRetries) || self.restartPolicy == 'OnFailure'",message="maxRetries needs restartPolicy: OnFailure: set it, or remove maxRetries"
// +kubebuilder:validation:XValidation:rule="!has(self.autoRemove) || !self.autoRemove || self.restartPolicy == 'Never'",message="autoRemove needs restartPolicy: Never: a container that is removed when it ends cannot be restarted"
// +kubebuilder:validation:XValidation:rule="!has(self.ports) || self.ports.size() == 0 || !has(self.networks) || !('host' in self.networks || 'none' in self.networks)",message="ports cannot be published on the networks host and none: remove ports, or choose another network"
// +kubebuilder:validation:XValidation:rule="!has(self.hostname) || !has(self.networks) || !('host' in self.networks)",message="a container on the network host has the hostname of the host: remove hostname, or choose another network"
type ContainerCreateRequestSpec struct {
	RequestSpec `json:",inline"`

	// Image is the reference or the ID of the image.
	// +kubebuilder:validation:MaxLength=1024
	// +kubebuilder:validation:XValidation:rule="self.matches('^[^\\\\s]+$')",message="image must be the reference or the ID of an image, such as nginx:1.27, without spaces"
	Image string `json:"image"`
	// PullPolicy says when the image is pulled: IfNotPresent pulls an image that the
	// engine lacks, Always pulls it before each creation, Never pulls nothing.
	// +kubebuilder:default=IfNotPresent
	// +optional
	PullPolicy PullPolicy `json:"pullPolicy,omitempty"`
	// Name of the container. By default it is the name of the request and the beginning
	// of its UID.
	// +kubebuilder:validation:MaxLength=255
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-zA-Z0-9][a-zA-Z0-9_.-]+$')",message="a name has at least two characters, begins with a letter or a digit, and has only letters, digits, '_', '.' and '-'"
	// +optional
	Name string `json:"name,omitempty"`
	// Command is the program, and replaces the entry point of the image, and its command.
	// +kubebuilder:validation:items:MaxLength=131072
	// +kubebuilder:validation:MaxItems=1000
	// +listType=atomic
	// +optional
	Command []string `json:"command,omitempty"`
	// Args are the arguments of the program, and replace the command of the image.
	// +kubebuilder:validation:items:MaxLength=131072
	// +kubebuilder:validation:MaxItems=1000
	// +listType=atomic
	// +optional
	Args []string `json:"args,omitempty"`
	// Env are variables of the environment. rdd shows them nowhere else.
	// +kubebuilder:validation:MaxItems=1000
	// +listType=map
	// +listMapKey=name
	// +optional
	Env []EnvVar `json:"env,omitempty"`
	// WorkingDir is the working directory.
	// +kubebuilder:validation:MaxLength=4096
	// +kubebuilder:validation:XValidation:rule="self.startsWith('/')",message="workingDir must be an absolute path, such as /app"
	// +optional
	WorkingDir string `json:"workingDir,omitempty"`
	// User is a name or a number, and optionally a group after a colon.
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:XValidation:rule="self.matches('^[^\\\\s:]+(:[^\\\\s:]+)?$')",message="user must be a name or a number, and optionally a group after a colon, such as 1000:1000"
	// +optional
	User string `json:"user,omitempty"`
	// Hostname of the container.
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?([.][a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?)*$')",message="hostname must have only letters, digits, '-' and '.', and begin and end with a letter or a digit"
	// +optional
	Hostname string `json:"hostname,omitempty"`
	// Labels of the container, in addition to rancherdesktop.io/request.
	// +kubebuilder:validation:MaxProperties=200
	// +kubebuilder:validation:XValidation:rule="!('rancherdesktop.io/request' in self)",message="the label rancherdesktop.io/request is set by rdd: remove it"
	// +kubebuilder:validation:XValidation:rule="self.all(key, key.size() > 0)",message="a label needs a key: give it one, or remove it"
	// +optional
	Labels map[string]string `json:"labels,omitempty"`
	// Ports that are exposed or published.
	// +kubebuilder:validation:MaxItems=256
	// +listType=atomic
	// +optional
	Ports []RequestedPort `json:"ports,omitempty"`
	// Mounts of the container.
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:XValidation:rule="self.all(one, self.filter(other, other.mountPath == one.mountPath).size() == 1)",message="each mount needs a mountPath of its own: two mounts have the same"
	// +listType=atomic
	// +optional
	Mounts []RequestedMount `json:"mounts,omitempty"`
	// Networks by name; bridge by default.
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=255
	// +kubebuilder:validation:XValidation:rule="self.size() < 2 || !('host' in self || 'none' in self)",message="the networks host and none exclude all others: remove them, or the others"
	// +listType=set
	// +optional
	Networks []string `json:"networks,omitempty"`
	// RestartPolicy says when the engine restarts the container: Never, OnFailure,
	// Always, or UnlessStopped, which is Always, but not after a stop by a user.
	// +kubebuilder:default=Never
	// +optional
	RestartPolicy RequestedRestartPolicy `json:"restartPolicy,omitempty"`
	// MaxRetries limits the restarts of OnFailure. By default there is no limit.
	// +kubebuilder:validation:Minimum=1
	// +optional
	MaxRetries *int32 `json:"maxRetries,omitempty"`
	// CPUs is how many processors the container can use, such as 500m or 2.
	// +kubebuilder:validation:XValidation:rule="!isQuantity(string(self)) || quantity(string(self)).isGreaterThan(quantity('0')) && quantity(string(self)).isLessThan(quantity('1M'))",message="cpus must be greater than 0 and less than 1M, such as 500m or 2"
	// +optional
	CPUs *resource.Quantity `json:"cpus,omitempty"`
	// Memory is how much memory the container can use, such as 512Mi.
	// +kubebuilder:validation:XValidation:rule="!isQuantity(string(self)) || quantity(string(self)).compareTo(quantity('6Mi')) >= 0",message="memory must be at least 6Mi, such as 512Mi"
	// +optional
	Memory *resource.Quantity `json:"memory,omitempty"`
	// StopTimeout is how long the container has to stop after the stop signal before the
	// engine kills it, in seconds. By default it is 10.
	// +kubebuilder:validation:Minimum=0
	// +optional
	StopTimeout *int32 `json:"stopTimeout,omitempty"`
	// StopSignal is the signal that stops the container; that of the image by default.
	// +kubebuilder:validation:MaxLength=16
	// +kubebuilder:validation:XValidation:rule="self.matches('^(SIG[A-Z0-9+-]+|[1-9][0-9]?)$')",message="stopSignal must be the name or the number of a signal, such as SIGINT or 2"
	// +optional
	StopSignal string `json:"stopSignal,omitempty"`
	// AutoRemove removes the container, and its anonymous volumes, when it ends.
	// +optional
	AutoRemove bool `json:"autoRemove,omitempty"`
	// TTY gives the container a terminal.
	// +optional
	TTY bool `json:"tty,omitempty"`
	// Stdin keeps the standard input open, for attach.
	// +optional
	Stdin bool `json:"stdin,omitempty"`
	// HealthCheck replaces the health check of the image.
	// +optional
	HealthCheck *RequestedHealthCheck `json:"healthCheck,omitempty"`
	// Capabilities of Linux that the container has in addition to the engine's default,
	// or lacks.
	// +optional
	Capabilities *Capabilities `json:"capabilities,omitempty"`
	// Privileged gives the container all capabilities and all devices of the engine's
	// host.
	// +optional
	Privileged bool `json:"privileged,omitempty"`
	// State is the state in which the request leaves the container: running starts it,
	// created does not.
	// +kubebuilder:default=running
	// +optional
	State RequestedState `json:"state,omitempty"`
}

// PullPolicy says when an image is pulled.
// +kubebuilder:validation:Enum=IfNotPresent;Always;Never
type PullPolicy string

// The pull policies.
const (
	PullIfNotPresent PullPolicy = "IfNotPresent"
	PullAlways       PullPolicy = "Always"
	PullNever        PullPolicy = "Never"
)

// RequestedRestartPolicy says when the engine restarts a container to create.
// +kubebuilder:validation:Enum=Never;OnFailure;Always;UnlessStopped
type RequestedRestartPolicy string

// The restart policies.
const (
	RestartNever         RequestedRestartPolicy = "Never"
	RestartOnFailure     RequestedRestartPolicy = "OnFailure"
	RestartAlways        RequestedRestartPolicy = "Always"
	RestartUnlessStopped RequestedRestartPolicy = "UnlessStopped"
)

// RequestedState is the state in which a request leaves its container.
// +kubebuilder:validation:Enum=running;created
type RequestedState string

// The states.
const (
	RequestedRunning RequestedState = "running"
	RequestedCreated RequestedState = "created"
)

// ContainerCreateRequest asks for a new container of the container engine. It fails if
// the engine has another container of this name. If the start of the container fails,
// the container is removed again. Deleting the request does not delete the container.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=containercreaterequests,singular=containercreaterequest,shortName=ctrreq,categories=rdd
// +kubebuilder:printcolumn:name="Complete",type=string,JSONPath=`.status.conditions[?(@.type=="Complete")].status`
// +kubebuilder:printcolumn:name="Failed",type=string,JSONPath=`.status.conditions[?(@.type=="Failed")].status`
// +kubebuilder:printcolumn:name="Result",type=string,JSONPath=`.status.result.name`,priority=1
// +kubebuilder:printcolumn:name="Message",type=string,JSONPath=`.status.message`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type ContainerCreateRequest struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// Spec is what is requested. Only ttlSecondsAfterFinished can be changed later.
	Spec ContainerCreateRequestSpec `json:"spec"`
	// Status is the observed state of the request. It is read-only.
	Status RequestStatus `json:"status,omitempty"`
}

// ContainerCreateRequestList is a list of ContainerCreateRequests.
// +kubebuilder:object:root=true
type ContainerCreateRequestList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []ContainerCreateRequest `json:"items"`
}

// RequestKind implements Request.
func (*ContainerCreateRequest) RequestKind() RequestKind { return KindContainerCreateRequest }

// CommonSpec implements Request.
func (r *ContainerCreateRequest) CommonSpec() *RequestSpec { return &r.Spec.RequestSpec }

// CommonStatus implements Request.
func (r *ContainerCreateRequest) CommonStatus() *RequestStatus { return &r.Status }

// CopyRequest implements Request.
func (r *ContainerCreateRequest) CopyRequest() Request { return r.DeepCopy() }

// SameStatus implements Request.
func (r *ContainerCreateRequest) SameStatus(other Request) bool {
	return equality.Semantic.DeepEqual(&r.Status, &other.(*ContainerCreateRequest).Status)
}
