package v1alpha1

import (
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// DesiredState is what a user wants of a container.
// +kubebuilder:validation:Enum=unknown;running;created
type DesiredState string

// The states a user can wish for.
const (
	// StateUnknown is no wish.
	StateUnknown DesiredState = "unknown"
	// StateRunning wishes the container started.
	StateRunning DesiredState = "running"
	// StateCreated wishes the container stopped.
	StateCreated DesiredState = "created"
)

// ContainerState is what the engine says of a container.
// +kubebuilder:validation:Enum=created;running;pausing;paused;restarting;removing;exited;dead;unknown
type ContainerState string

// The states of a container, as in the Docker Engine API, plus pausing
// (containerd) and unknown (a word that this version of rdd has not met).
const (
	ContainerCreated    ContainerState = "created"
	ContainerRunning    ContainerState = "running"
	ContainerPausing    ContainerState = "pausing"
	ContainerPaused     ContainerState = "paused"
	ContainerRestarting ContainerState = "restarting"
	ContainerRemoving   ContainerState = "removing"
	ContainerExited     ContainerState = "exited"
	ContainerDead       ContainerState = "dead"
	ContainerUnknown    ContainerState = "unknown"
)

// Types of a Container's conditions that mirror the engine's own flags.
const (
	ConditionRunning    = "Running"
	ConditionPaused     = "Paused"
	ConditionRestarting = "Restarting"
	ConditionOOMKilled  = "OOMKilled"
	ConditionDead       = "Dead"
)

// ContainerSpec is the user's wish.
type ContainerSpec struct {
	// State the user wishes for: running (start it), created (stop it), unknown
	// (no wish). A wish is carried out once per metadata.generation; when that is
	// done, status.observedGeneration says so.
	// +kubebuilder:default=unknown
	// +optional
	State DesiredState `json:"state,omitempty"`
}

// PortBinding is an address of the host at which a container's port answers.
type PortBinding struct {
	// HostIP the port is bound to; empty means every address.
	// +optional
	HostIP string `json:"hostIP,omitempty"`
	// HostPort the port is bound to, 1 to 65535.
	// +optional
	HostPort int32 `json:"hostPort,omitempty"`
}

// Port is a port that a container exposes.
type Port struct {
	// ContainerPort inside the container, 0 to 65535.
	ContainerPort int32 `json:"containerPort"`
	// Protocol: tcp, udp or sctp.
	Protocol string `json:"protocol"`
	// Bindings on the host; none when the port is exposed but not published.
	// +optional
	Bindings []PortBinding `json:"bindings,omitempty"`
}

// ContainerStatus is what the engine says.
type ContainerStatus struct {
	// ObservedGeneration is the metadata.generation whose wish was carried out.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// Status of the container.
	// +optional
	Status ContainerState `json:"status,omitempty"`
	// Name of the container, without Docker's leading slash.
	// +optional
	Name string `json:"name,omitempty"`
	// Namespace of the engine in which the container lives.
	// +optional
	Namespace string `json:"namespace,omitempty"`
	// Image as the container was created from it.
	// +optional
	Image string `json:"image,omitempty"`
	// Path of the program.
	// +optional
	Path string `json:"path,omitempty"`
	// Args of the program.
	// +optional
	Args []string `json:"args,omitempty"`
	// Ports, sorted by number and protocol.
	// +optional
	Ports []Port `json:"ports,omitempty"`
	// Labels of the container.
	// +optional
	Labels map[string]string `json:"labels,omitempty"`
	// PID of the container's first process on the engine's host; 0 when none runs.
	// +optional
	PID int64 `json:"pid,omitempty"`
	// ExitCode of the last run.
	// +optional
	ExitCode int32 `json:"exitCode,omitempty"`
	// Error is the engine's text about the last failed start.
	// +optional
	Error string `json:"error,omitempty"`
	// CreatedAt is when the container was created.
	// +optional
	CreatedAt *metav1.MicroTime `json:"createdAt,omitempty"`
	// StartedAt is when it was last started.
	// +optional
	StartedAt *metav1.MicroTime `json:"startedAt,omitempty"`
	// FinishedAt is when it last ended.
	// +optional
	FinishedAt *metav1.MicroTime `json:"finishedAt,omitempty"`
	// Conditions: Running, Paused, Restarting, OOMKilled, Dead, and those of a
	// wish that the engine refused (StateReached, EngineDeleted).
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// Container mirrors a container of the engine. Its name is the full container ID.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=containers,singular=container
// +kubebuilder:selectablefield:JSONPath=`.status.name`
// +kubebuilder:selectablefield:JSONPath=`.status.namespace`
// +kubebuilder:selectablefield:JSONPath=`.status.status`
// +kubebuilder:printcolumn:name="Container",type=string,JSONPath=`.status.name`
// +kubebuilder:printcolumn:name="Image",type=string,JSONPath=`.status.image`
// +kubebuilder:printcolumn:name="Status",type=string,JSONPath=`.status.status`
// +kubebuilder:printcolumn:name="Wish",type=string,JSONPath=`.spec.state`,priority=1
// +kubebuilder:printcolumn:name="Exit",type=integer,JSONPath=`.status.exitCode`,priority=1
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.status.createdAt`
type Container struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// +kubebuilder:default={}
	Spec   ContainerSpec   `json:"spec,omitempty"`
	Status ContainerStatus `json:"status,omitempty"`
}

// ContainerList is a list of Containers.
// +kubebuilder:object:root=true
type ContainerList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Container `json:"items"`
}

// MirrorKind implements Mirror.
func (*Container) MirrorKind() Kind { return KindContainer }

// ObjectID implements Mirror.
func (c *Container) ObjectID() string { return c.Name }

// DisplayName implements Mirror.
func (c *Container) DisplayName() string { return c.Status.Name }

// MirrorConditions implements Mirror.
func (c *Container) MirrorConditions() *[]metav1.Condition { return &c.Status.Conditions }

// SetStatusFrom implements Mirror.
func (c *Container) SetStatusFrom(m Mirror) { c.Status = m.(*Container).Status }

// CopyMirror implements Mirror.
func (c *Container) CopyMirror() Mirror { return c.DeepCopy() }

// SameStatus implements Mirror.
func (c *Container) SameStatus(m Mirror) bool {
	return equality.Semantic.DeepEqual(&c.Status, &m.(*Container).Status)
}
