package messages

import (
	"context"
	"time"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
)

// ConnectEngine asks the engine supervisor to mirror the engine at Endpoint.
type ConnectEngine struct {
	// Seq numbers the commands of the app actor. It is greater than zero.
	Seq uint64
	// Endpoint of the engine, such as unix:///path/docker.sock.
	Endpoint string
	// Namespace of Kubernetes for the mirrors.
	Namespace string
	// Driver is what runs the engine.
	Driver appv1.DriverName
	// InVM is set if the engine runs in a VM, which shares the directories of Mounts with
	// this machine, encoded by package mounts.
	InVM   bool
	Mounts string
}

// DisconnectEngine asks the engine supervisor to close the session and to remove all
// mirrors, because there is no engine any more.
type DisconnectEngine struct {
	// Seq numbers the commands of the app actor. It is greater than zero.
	Seq uint64
}

// SuspendEngine asks the engine supervisor to close the session and to keep the mirrors,
// because the engine is stopped until something uses it.
type SuspendEngine struct {
	// Seq numbers the commands of the app actor. It is greater than zero.
	Seq uint64
	// Driver is the one that starts the engine again.
	Driver appv1.DriverName
}

// EngineState is the state of the engine supervisor.
type EngineState string

// The states of the engine supervisor.
const (
	// EngineIdle: no engine is desired and no mirror is left.
	EngineIdle EngineState = "Idle"
	// EngineConnecting: no session has connected yet.
	EngineConnecting EngineState = "Connecting"
	// EngineSyncing: connected; not every object has been mirrored yet.
	EngineSyncing EngineState = "Syncing"
	// EngineReady: every listed object was mirrored or has a recorded reason why not.
	EngineReady EngineState = "Ready"
	// EngineDisconnected: the connection was lost.
	EngineDisconnected EngineState = "Disconnected"
	// EngineSuspended: there is no session, and the mirrors stay.
	EngineSuspended EngineState = "Suspended"
	// EngineCleaning: the mirrors of an engine that is not desired are being removed.
	EngineCleaning EngineState = "Cleaning"
)

// EngineChanged reports the state of the engine supervisor to the app actor.
type EngineChanged struct {
	// Seq of the last command that was received; 0 before the first.
	Seq   uint64
	State EngineState
	// Message for a user: why the connection failed, or the progress of a sync.
	Message string
	// Failing is set when the last attempt to connect failed.
	Failing bool
	// Engine is what the engine reports about itself, once connected.
	Engine appv1.EngineStatus
	// InUse is whether a container is active, or a resource has a request of a user that
	// is not carried out yet.
	InUse bool
	// Used is when OpenEngine was last received.
	Used time.Time
}

// OpenEngine asks the engine supervisor for the connected engine. It answers the sender
// with EngineOpened. The sender is any actor, or a future with a deadline.
type OpenEngine struct{}

// EngineOpened answers OpenEngine.
type EngineOpened struct {
	// Engine is nil unless it is connected. It can be used until the supervisor closes
	// it; its calls then fail with engine.ErrUnreachable.
	Engine engine.Engine
	// Lost ends when the engine is no longer connected; see [engine.Connection].
	Lost context.Context
	// Namespace of the mirrors; empty when no engine is desired.
	Namespace string
	// Err says why there is no engine, and what to do, for users.
	Err error
	// Waking is set when the engine was stopped because it was idle, and OpenEngine
	// starts it.
	Waking bool
}

func (ConnectEngine) toEngine()    {}
func (DisconnectEngine) toEngine() {}
func (SuspendEngine) toEngine()    {}
func (OpenEngine) toEngine()       {}
func (EngineChanged) toApp()       {}
