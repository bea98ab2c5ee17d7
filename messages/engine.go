package messages

import (
	"time"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// ConnectEngine tells the engine supervisor to mirror the engine at Endpoint.
type ConnectEngine struct {
	// Seq numbers the commands of the app actor; answers carry it.
	Seq uint64
	// Endpoint such as unix:///path/docker.sock.
	Endpoint string
	// Namespace of Kubernetes in which the mirrors live.
	Namespace string
}

// DisconnectEngine tells the engine supervisor that there is no engine any
// more: it closes the session and takes all mirrors away.
type DisconnectEngine struct {
	// Seq numbers the commands of the app actor; answers carry it.
	Seq uint64
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
	// Seq of the last command that was taken up; 0 before the first.
	Seq   uint64
	State EngineState
	// Message for a user: the error of a failed connection, or the progress of a sync.
	Message string
	// Failing is set when the last attempt to connect failed.
	Failing bool
	// Engine is what the engine says of itself, once connected.
	Engine appv1.EngineStatus
}

// SessionConnected says that the engine answers and that its events are
// subscribed to. The answer is BeginSync.
type SessionConnected struct {
	Engine appv1.EngineStatus
}

// BeginSync tells the session to begin the first full sync.
type BeginSync struct {
	// Images that are mirrored already, by the engine's ID. They are as their
	// mirrors say, or as the engine said last.
	Images map[string][]*containersv1.Image
}

// ObjectSeen says what the engine knows of one object.
type ObjectSeen struct {
	// Object carries name and status, as the mirror should have them.
	Object containersv1.Mirror
	// AsOf is when the reading was begun, on the clock of this process: of two
	// readings the one that was begun later counts.
	AsOf time.Time
}

// ObjectGone says that the engine does not have the object.
type ObjectGone struct {
	Kind containersv1.Kind
	// Name of the mirror.
	Name string
	AsOf time.Time
}

// SyncCompleted says that a full sync has read everything.
type SyncCompleted struct {
	// AsOf of the lists: what has not been seen since is gone.
	AsOf time.Time
	// Unread are the engine's IDs of objects that are there but could not be
	// read; the session goes on trying, and their mirrors stay as they are.
	Unread map[containersv1.Kind][]string
}

// SyncListed says how many objects of each kind the engine has, at the
// beginning of a full sync.
type SyncListed struct {
	Counts map[containersv1.Kind]int
}

// KindListed reports that a list has read every object of a kind.
type KindListed struct {
	Kind containersv1.Kind
	// AsOf of the list: what has not been seen since is gone.
	AsOf time.Time
}
