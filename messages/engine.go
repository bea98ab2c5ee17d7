package messages

import (
	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// ConnectEngine tells the engine supervisor to mirror the engine at Endpoint.
type ConnectEngine struct {
	// Endpoint such as unix:///path/docker.sock.
	Endpoint string
	// Namespace of Kubernetes in which the mirrors live.
	Namespace string
}

// DisconnectEngine tells the engine supervisor that there is no engine any
// more: it closes the session and takes all mirrors away.
type DisconnectEngine struct {
	// Namespace of Kubernetes in which mirrors may have been left.
	Namespace string
}

// EngineState is the state of the engine supervisor.
type EngineState string

// The states of the engine supervisor.
const (
	// EngineIdle: no engine is wanted and no mirror is left.
	EngineIdle EngineState = "Idle"
	// EngineConnecting: the first connection is being made.
	EngineConnecting EngineState = "Connecting"
	// EngineSyncing: connected; not every object has been mirrored yet.
	EngineSyncing EngineState = "Syncing"
	// EngineReady: every listed object was mirrored or has a recorded reason why not.
	EngineReady EngineState = "Ready"
	// EngineDisconnected: a connection that was there broke.
	EngineDisconnected EngineState = "Disconnected"
	// EngineCleaning: no engine is wanted, mirrors are being taken away.
	EngineCleaning EngineState = "Cleaning"
)

// EngineChanged says what the engine supervisor is at. It is sent to the app actor.
type EngineChanged struct {
	State EngineState
	// Endpoint of the ConnectEngine this answers; empty after DisconnectEngine.
	Endpoint string
	// Message for a user: the error of a failed connection, or the progress of a sync.
	Message string
	// Failing is set when the last attempt to connect failed.
	Failing bool
	// Engine is what the engine says of itself, once connected.
	Engine appv1.EngineStatus
}

// SessionConnected says that the engine answers and that its events are
// subscribed to; the full sync begins.
type SessionConnected struct {
	Engine appv1.EngineStatus
}

// ObjectSeen says what the engine knows of one object.
type ObjectSeen struct {
	// Object carries name and status, as the mirror should have them.
	Object containersv1.Mirror
	// AsOf orders readings: one that was begun later has a higher number.
	AsOf uint64
}

// ObjectGone says that the engine does not have the object.
type ObjectGone struct {
	Kind containersv1.Kind
	// Name of the mirror.
	Name string
	AsOf uint64
}

// SyncCompleted says that a full sync has read everything.
type SyncCompleted struct {
	// AsOf of the lists: what has not been seen since is gone.
	AsOf uint64
	// Counts of what was listed.
	Counts map[containersv1.Kind]int
	// Errors of objects that could not be read; they are tried again by the session.
	Errors []error
}

// RefreshObject asks the session to read one object again.
type RefreshObject struct {
	Kind containersv1.Kind
	// ID of the object in the engine: a container's ID, an image's ID, a volume's name.
	ID string
}
