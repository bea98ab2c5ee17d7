package v1alpha1

// The reasons of the events that rdd records about the App.
const (
	// EventStartFailed: the VM or the engine could not be started.
	EventStartFailed = "StartFailed"
	// EventStopFailed: the VM or the engine could not be stopped.
	EventStopFailed = "StopFailed"
	// EventEngineEnded: the VM or the engine ended although it should run.
	EventEngineEnded = "EngineEnded"
	// EventEngineSilent: the engine runs and does not answer.
	EventEngineSilent = "EngineSilent"
	// EventChangeRefused: a change of the spec cannot be applied, and the engine is
	// unchanged.
	EventChangeRefused = "ChangeRefused"
	// EventEngineConnected: the objects of the engine are mirrored.
	EventEngineConnected = "EngineConnected"
	// EventEngineDisconnected: the connection to the engine was lost.
	EventEngineDisconnected = "EngineDisconnected"
)
