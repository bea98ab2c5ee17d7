package v1alpha1

import (
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// DesiredState is the state of a container that a user requests.
// +kubebuilder:validation:Enum=unknown;running;created
type DesiredState string

// The desired states.
const (
	// StateUnknown requests nothing.
	StateUnknown DesiredState = "unknown"
	// StateRunning requests a start.
	StateRunning DesiredState = "running"
	// StateCreated requests a stop.
	StateCreated DesiredState = "created"
)

// ContainerState is the state of a container as the engine reports it.
// +kubebuilder:validation:Enum=created;running;pausing;paused;restarting;removing;exited;dead;unknown
type ContainerState string

// The states of a container, as in the Docker Engine API, plus pausing
// (containerd) and unknown (a state that this version of rdd does not know).
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

// IsActive reports whether a container in a state runs, or is about to.
func (s ContainerState) IsActive() bool {
	switch s {
	case ContainerRunning, ContainerPaused, ContainerPausing, ContainerRestarting:
		return true
	case ContainerCreated, ContainerRemoving, ContainerExited, ContainerDead,
		ContainerUnknown:
	}
	return false
}

// Types of a Container's conditions that mirror flags of the engine.
const (
	ConditionRunning    = "Running"
	ConditionPaused     = "Paused"
	ConditionRestarting = "Restarting"
	ConditionOOMKilled  = "OOMKilled"
	ConditionDead       = "Dead"
	// ConditionHealthy exists where the container has a health check. It is Unknown
	// while the health is starting.
	ConditionHealthy = "Healthy"
)

// ContainerSpec defines the desired state of a container.
type ContainerSpec struct {
	// State is the desired state: running starts the container, created stops it,
	// unknown requests nothing. It is applied once per metadata.generation, and
	// status.observedGeneration is then set. If the container later starts or
	// stops for another reason, that is mirrored and not reverted.
	// +kubebuilder:default=unknown
	// +optional
	State DesiredState `json:"state,omitempty"`
}

// PortBinding is a host address on which a container port is published.
type PortBinding struct {
	// HostIP is the host address that the port is bound to. Empty means all
	// addresses.
	// +optional
	HostIP string `json:"hostIP,omitempty"`
	// HostPort is the host port, from 1 to 65535. 0 means that the engine has not
	// chosen one yet.
	// +optional
	HostPort int32 `json:"hostPort,omitempty"`
}

// Port is a port that a container exposes.
type Port struct {
	// ContainerPort is the port in the container, from 0 to 65535.
	ContainerPort int32 `json:"containerPort"`
	// Protocol is tcp, udp or sctp.
	Protocol string `json:"protocol"`
	// Bindings are the host addresses on which the port is published. Empty if the
	// port is exposed only.
	// +optional
	Bindings []PortBinding `json:"bindings,omitempty"`
}

// ContainerStatus is the observed state of a container.
type ContainerStatus struct {
	// ObservedGeneration is the metadata.generation whose spec.state was applied
	// last.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// Status is the state of the container.
	// +optional
	Status ContainerState `json:"status,omitempty"`
	// Name is the name of the container, without Docker's leading slash.
	// +optional
	Name string `json:"name,omitempty"`
	// Namespace is the namespace of the engine that has the container.
	// +optional
	Namespace string `json:"namespace,omitempty"`
	// Image is the image reference from which the container was created.
	// +optional
	Image string `json:"image,omitempty"`
	// ImageID is the ID of that image, such as sha256:….
	// +optional
	ImageID string `json:"imageID,omitempty"`
	// Path is the program that the container runs.
	// +optional
	Path string `json:"path,omitempty"`
	// Args are the arguments of the program.
	// +optional
	Args []string `json:"args,omitempty"`
	// WorkingDir is the directory in which the program starts. Empty means the root
	// directory.
	// +optional
	WorkingDir string `json:"workingDir,omitempty"`
	// User runs the program, as user or user:group, by name or by ID. Empty means root.
	// +optional
	User string `json:"user,omitempty"`
	// Hostname is the host name in the container.
	// +optional
	Hostname string `json:"hostname,omitempty"`
	// RestartPolicy says when the engine restarts the container by itself.
	// +optional
	RestartPolicy RestartPolicy `json:"restartPolicy,omitzero"`
	// RestartCount is how often the restart policy has restarted the container since
	// its last start by a user.
	// +optional
	RestartCount int32 `json:"restartCount,omitempty"`
	// Health is the result of the container's health check.
	// +optional
	Health ContainerHealth `json:"health,omitzero"`
	// Mounts are the file systems that are mounted into the container, sorted by
	// destination.
	// +optional
	Mounts []ContainerMount `json:"mounts,omitempty"`
	// Networks are the networks of the container, sorted by name.
	// +optional
	Networks []ContainerNetwork `json:"networks,omitempty"`
	// Ports are the exposed and published ports, sorted by number and protocol.
	// +optional
	Ports []Port `json:"ports,omitempty"`
	// Labels are the labels of the container. Those that are valid in Kubernetes are
	// also labels of this resource.
	// +optional
	Labels map[string]string `json:"labels,omitempty"`
	// PID is the process ID of the container's main process on the engine's host.
	// It is 0 while the container does not run.
	// +optional
	PID int64 `json:"pid,omitempty"`
	// ExitCode is the exit code of the last run.
	// +optional
	ExitCode int32 `json:"exitCode,omitempty"`
	// ExitReason says in words why the last run ended, such as "ended by signal 9
	// (SIGKILL)". It is empty while the program runs, and before the first start.
	// +optional
	ExitReason string `json:"exitReason,omitempty"`
	// Error is the engine's message about the last failed start.
	// +optional
	Error string `json:"error,omitempty"`
	// CreatedAt is the time at which the container was created.
	// +optional
	CreatedAt *metav1.MicroTime `json:"createdAt,omitempty"`
	// StartedAt is the time of the last start.
	// +optional
	StartedAt *metav1.MicroTime `json:"startedAt,omitempty"`
	// FinishedAt is the time at which the container last exited.
	// +optional
	FinishedAt *metav1.MicroTime `json:"finishedAt,omitempty"`
	// LastAction is the last action that the annotation
	// containers.rancherdesktop.io/action requested.
	// +optional
	LastAction *ActionStatus `json:"lastAction,omitempty"`
	// Conditions mirror flags of the engine (Running, Paused, Restarting,
	// OOMKilled, Dead, and Healthy where there is a health check), and report
	// requests that the engine refused (StateReached, EngineDeleted). Held and Mirrored
	// report a finalizer of another controller, and a failure of rdd.
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// Container mirrors one container of the container engine. Its name is the
// full container ID. Deleting it removes the container.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=containers,singular=container,shortName=ctr,categories=rdd
// +kubebuilder:selectablefield:JSONPath=`.status.name`
// +kubebuilder:selectablefield:JSONPath=`.status.namespace`
// +kubebuilder:selectablefield:JSONPath=`.status.status`
// +kubebuilder:printcolumn:name="Container",type=string,JSONPath=`.status.name`
// +kubebuilder:printcolumn:name="Image",type=string,JSONPath=`.status.image`
// +kubebuilder:printcolumn:name="Status",type=string,JSONPath=`.status.status`
// +kubebuilder:printcolumn:name="Desired",type=string,JSONPath=`.spec.state`,priority=1
// +kubebuilder:printcolumn:name="Health",type=string,JSONPath=`.status.health.status`,priority=1
// +kubebuilder:printcolumn:name="Exit",type=integer,JSONPath=`.status.exitCode`,priority=1
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.exitReason`,priority=1
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.status.createdAt`
type Container struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// Spec is the desired state of the container.
	// +kubebuilder:default={}
	Spec ContainerSpec `json:"spec,omitempty"`
	// Status is the observed state of the container. It is read-only.
	Status ContainerStatus `json:"status,omitempty"`
}

// ContainerList is a list of Containers.
// +kubebuilder:object:root=true
type ContainerList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Container `json:"items"`
}

// HasRun reports whether the container was started at any time.
func (c *Container) HasRun() bool {
	return c.Status.StartedAt != nil || c.Status.Status == ContainerRunning
}

// MirrorKind implements Mirror.
func (*Container) MirrorKind() Kind { return KindContainer }

// HasPendingState reports whether the spec has a desired state that was not observed yet.
func (c *Container) HasPendingState() bool {
	return c.Spec.State != "" && c.Spec.State != StateUnknown && c.Generation > c.Status.ObservedGeneration
}

// ObjectID implements Mirror.
func (c *Container) ObjectID() string { return c.Name }

// DisplayName implements Mirror.
func (c *Container) DisplayName() string { return c.Status.Name }

// EngineLabels implements Mirror.
func (c *Container) EngineLabels() map[string]string { return c.Status.Labels }

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
