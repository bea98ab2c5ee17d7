package messages

import appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"

// JoinChanged asks the hub actor to read again which hub this machine has joined.
type JoinChanged struct{}

// HubChanged reports to the app actor how the mirrors on a hub are.
type HubChanged struct {
	// IsJoined is whether this machine has joined a hub. Hub is that hub, if it is known.
	IsJoined bool
	Hub      appv1.HubStatus
	// IsSynced is set when the mirrors on the hub equal the engine's objects.
	IsSynced bool
	// InUse is whether a container is active, or a resource on the hub has a request of a
	// user that is not carried out yet.
	InUse bool
	// Reason and Message are those of the condition HubSynced.
	Reason, Message string
}

// AcquireLease asks the lease actor to acquire the Lease of this machine, unless it does
// so or holds it.
type AcquireLease struct{}

// LeaseChanged reports to the hub actor what became of the Lease.
type LeaseChanged struct {
	// IsHeld is set when this machine holds the Lease.
	IsHeld bool
	// Holder is the identity of another holder, if there is one.
	Holder string
	// Err is why the Lease was lost; the lease actor then waits for AcquireLease.
	Err error
}

func (JoinChanged) toHub()    {}
func (LeaseChanged) toHub()   {}
func (EngineChanged) toHub()  {}
func (ChildFailed) toHub()    {}
func (AcquireLease) toLease() {}
func (HubChanged) toApp()     {}

func (ConnectEngine) toHub()    {}
func (DisconnectEngine) toHub() {}
func (SuspendEngine) toHub()    {}

func (ConnectEngine) engineCommand()    {}
func (DisconnectEngine) engineCommand() {}
func (SuspendEngine) engineCommand()    {}
