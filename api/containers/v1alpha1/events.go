package v1alpha1

// The reasons of the events that rdd records about mirrors and requests.
const (
	// EventFailedStart: the engine refused to start the container, or failed.
	EventFailedStart = "FailedStart"
	// EventFailedStop: the engine refused to stop the container, or failed.
	EventFailedStop = "FailedStop"
	// EventFailedAction: a one-shot action failed.
	EventFailedAction = "FailedAction"
	// EventFailedDelete: the engine refused to remove the object.
	EventFailedDelete = "FailedDelete"
	// EventOOMKilled: the kernel killed the container, because it ran out of memory.
	EventOOMKilled = "OOMKilled"
	// EventUnhealthy: the container runs, and its health check fails.
	EventUnhealthy = "Unhealthy"
	// EventRestartLoop: the restart policy has restarted the container at least three
	// times since a user started it, and its last run was short.
	EventRestartLoop = "RestartLoop"
	// EventUnsharedMount: a directory of this machine that the container uses is not
	// shared with the VM.
	EventUnsharedMount = "UnsharedMount"
	// EventFailedRequest: a request cannot be carried out.
	EventFailedRequest = "FailedRequest"
	// EventRetriedRequest: an attempt to carry out a request failed, and rdd retries it.
	EventRetriedRequest = "RetriedRequest"
)
