package v1alpha1

// HealthStatus is the health of a container.
// +kubebuilder:validation:Enum=none;starting;healthy;unhealthy
type HealthStatus string

// The states of health, as in the Docker Engine API.
const (
	// HealthNone: the container has no health check.
	HealthNone HealthStatus = "none"
	// HealthStarting: no probe has succeeded yet, and not enough of them have failed.
	HealthStarting HealthStatus = "starting"
	// HealthHealthy: the last probe succeeded, or not enough of them have failed since.
	HealthHealthy HealthStatus = "healthy"
	// HealthUnhealthy: as many probes in a row have failed as the health check allows,
	// or the container does not run.
	HealthUnhealthy HealthStatus = "unhealthy"
)

// MaxHealthOutput is the maximum size of the output of a probe, in bytes.
const MaxHealthOutput = 1024

// ContainerHealth is the result of a container's health check. It does not have the
// times of probes: each probe would change it.
type ContainerHealth struct {
	// Status is none without a health check, starting until the first probe succeeds,
	// and then healthy or unhealthy. Like the engine, rdd reports a container that has
	// stopped or is paused as unhealthy.
	// +optional
	Status HealthStatus `json:"status,omitempty"`
	// FailingStreak is the number of probes in a row that failed, up to the number that
	// makes the container unhealthy.
	// +optional
	FailingStreak int32 `json:"failingStreak,omitempty"`
	// Output is the output of the last probe that rdd has read, cut at 1 KiB. rdd reads
	// it when the status changes, with each other change of the container, and at
	// growing pauses while probes fail.
	// +optional
	Output string `json:"output,omitempty"`
}

// RestartPolicy says when the engine restarts a container by itself.
type RestartPolicy struct {
	// Name is no, always, unless-stopped or on-failure.
	// +optional
	Name string `json:"name,omitempty"`
	// MaximumRetryCount is the maximum number of restarts in a row for on-failure. 0
	// means no limit.
	// +optional
	MaximumRetryCount int32 `json:"maximumRetryCount,omitempty"`
}

// ContainerMount is a file system that is mounted into a container.
type ContainerMount struct {
	// Type is bind for a directory or file of the engine's host, volume, tmpfs, or
	// another type of the engine.
	Type string `json:"type"`
	// Source is the path on the engine's host. It is set for type bind.
	// +optional
	Source string `json:"source,omitempty"`
	// Volume is the name of the volume in the engine. It is set for type volume.
	// +optional
	Volume string `json:"volume,omitempty"`
	// Destination is the path in the container.
	Destination string `json:"destination"`
	// ReadOnly is true if the container cannot write to it.
	// +optional
	ReadOnly bool `json:"readOnly,omitempty"`
}

// ContainerNetwork is a network of a container.
type ContainerNetwork struct {
	// Name is the name of the network in the engine.
	Name string `json:"name"`
	// Addresses are the IP addresses of the container in the network. They are empty
	// while the container does not run.
	// +optional
	Addresses []string `json:"addresses,omitempty"`
	// MACAddress is the hardware address of the container in the network.
	// +optional
	MACAddress string `json:"macAddress,omitempty"`
}
