package v1alpha1

import "k8s.io/apimachinery/pkg/api/resource"

// EnvVar is a variable of the environment.
type EnvVar struct {
	// Name of the variable.
	// +kubebuilder:validation:MaxLength=1024
	// +kubebuilder:validation:XValidation:rule="self.matches('^[^=]+$')",message="the name of a variable must have at least one character and no '='"
	Name string `json:"name"`
	// Value of the variable; empty by default.
	// +kubebuilder:validation:MaxLength=131072
	// +optional
	Value string `json:"value,omitempty"`
}

// RequestedPort is a port of a container to create.
// +kubebuilder:validation:XValidation:rule="!has(self.hostIP) || has(self.hostPort)",message="hostIP needs hostPort: set it, or set it to 0 for a free port"
type RequestedPort struct {
	// ContainerPort is the port in the container.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65535
	ContainerPort int32 `json:"containerPort"`
	// HostPort publishes the port on this port of the engine's host; 0 lets the engine
	// choose a free one. Without it the port is exposed, and not published.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=65535
	// +optional
	HostPort *int32 `json:"hostPort,omitempty"`
	// HostIP is the address of the host on which the port is published; all by default.
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule="isIP(self)",message="hostIP must be an IP address, such as 127.0.0.1"
	// +optional
	HostIP string `json:"hostIP,omitempty"`
	// Protocol is TCP, UDP or SCTP; TCP by default.
	// +kubebuilder:default=TCP
	// +kubebuilder:validation:Enum=TCP;UDP;SCTP
	// +optional
	Protocol string `json:"protocol,omitempty"`
}

// Types of mounts.
const (
	MountBind   = "bind"
	MountVolume = "volume"
	MountTmpfs  = "tmpfs"
)

// RequestedMount is a mount of a container to create.
// +kubebuilder:validation:XValidation:rule="self.type != 'bind' || has(self.source) && self.source.startsWith('/')",message="a mount of type bind needs a source: the absolute path of a file or directory of the engine's host"
// +kubebuilder:validation:XValidation:rule="self.type != 'volume' || !has(self.source) || self.source.matches('^[a-zA-Z0-9][a-zA-Z0-9_.-]+$')",message="the source of a mount of type volume must be the name of a volume: for a directory use type: bind"
// +kubebuilder:validation:XValidation:rule="self.type != 'tmpfs' || !has(self.source)",message="a mount of type tmpfs has no source: remove it"
// +kubebuilder:validation:XValidation:rule="!has(self.sizeLimit) || self.type == 'tmpfs'",message="only a mount of type tmpfs has a sizeLimit: remove it"
type RequestedMount struct {
	// Type is bind for a file or directory of the engine's host, volume for a volume,
	// tmpfs for a file system in memory.
	// +kubebuilder:validation:Enum=bind;volume;tmpfs
	Type string `json:"type"`
	// Source is the absolute path of a bind, or the name of a volume, which the engine
	// creates if it is missing. A volume without a source is anonymous.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=4096
	// +optional
	Source string `json:"source,omitempty"`
	// MountPath is where the mount is in the container.
	// +kubebuilder:validation:MaxLength=4096
	// +kubebuilder:validation:XValidation:rule="self.startsWith('/') && self != '/'",message="mountPath must be an absolute path below /, such as /data"
	MountPath string `json:"mountPath"`
	// ReadOnly makes the mount read-only.
	// +optional
	ReadOnly bool `json:"readOnly,omitempty"`
	// SizeLimit of a tmpfs, such as 64Mi; none by default.
	// +optional
	SizeLimit *resource.Quantity `json:"sizeLimit,omitempty"`
}

// RequestedHealthCheck is a health check of a container to create.
// +kubebuilder:validation:XValidation:rule="has(self.command) != (has(self.disabled) && self.disabled)",message="healthCheck needs either a command, or disabled: true"
type RequestedHealthCheck struct {
	// Command is the program that checks, and its arguments. It runs in the container,
	// and the container is healthy when its exit code is 0.
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:items:MaxLength=131072
	// +kubebuilder:validation:MaxItems=1000
	// +listType=atomic
	// +optional
	Command []string `json:"command,omitempty"`
	// Disabled turns the health check of the image off.
	// +optional
	Disabled bool `json:"disabled,omitempty"`
	// PeriodSeconds is the pause between two checks; 30 by default.
	// +kubebuilder:validation:Minimum=1
	// +optional
	PeriodSeconds *int32 `json:"periodSeconds,omitempty"`
	// TimeoutSeconds is how long a check can take; 30 by default.
	// +kubebuilder:validation:Minimum=1
	// +optional
	TimeoutSeconds *int32 `json:"timeoutSeconds,omitempty"`
	// StartPeriodSeconds is how long after the start failures do not count; 0 by
	// default.
	// +kubebuilder:validation:Minimum=0
	// +optional
	StartPeriodSeconds *int32 `json:"startPeriodSeconds,omitempty"`
	// FailureThreshold is how many failures in a row make the container unhealthy; 3 by
	// default.
	// +kubebuilder:validation:Minimum=1
	// +optional
	FailureThreshold *int32 `json:"failureThreshold,omitempty"`
}

// Capability is the name of a capability of Linux, such as NET_ADMIN, or ALL.
// +kubebuilder:validation:MaxLength=64
// +kubebuilder:validation:XValidation:rule="self.matches('^[A-Z][A-Z_]*$')",message="a capability is written in capitals, such as NET_ADMIN or ALL"
type Capability string

// Capabilities are changes of the capabilities of a container.
type Capabilities struct {
	// Add are capabilities that the container gets.
	// +kubebuilder:validation:MaxItems=64
	// +listType=set
	// +optional
	Add []Capability `json:"add,omitempty"`
	// Drop are capabilities that the container lacks.
	// +kubebuilder:validation:MaxItems=64
	// +listType=set
	// +optional
	Drop []Capability `json:"drop,omitempty"`
}
