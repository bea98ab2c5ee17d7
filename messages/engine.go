package messages

import (
	"time"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
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

// SessionStarted reports to the engine supervisor that a session started. The answer
// is BeginWatch.
type SessionStarted struct{}

// BeginWatch tells the session to watch the engine.
type BeginWatch struct {
	// Known are the mirrors as they were last read.
	Known []containersv1.Mirror
}

// SessionEvent forwards what the watch of the engine reported.
type SessionEvent struct{ Event engine.Event }

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
