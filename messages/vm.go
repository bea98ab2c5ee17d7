package messages

import (
	"time"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
)

// EnsureVM tells the VM actor what should be. It is sent by the app actor,
// again after each change of the App and after each restart of either actor.
type EnsureVM struct {
	// Generation of the App that asks for this.
	Generation int64
	// Running is whether the VM, or the engine in its place, should be up.
	Running bool
	// Spec says how.
	Spec VMSpec
}

// VMSpec is the part of the App's spec that the VM actor carries out. Two specs
// that are equal ask for the same engine.
type VMSpec struct {
	Driver   appv1.DriverName
	Endpoint string
	Engine   appv1.EngineName
}

// VMState is the state of the VM actor's machine.
type VMState string

// The states of a VM.
const (
	VMStopped  VMState = "Stopped"
	VMStarting VMState = "Starting"
	VMRunning  VMState = "Running"
	VMStopping VMState = "Stopping"
	// VMFailed: the last start or stop failed; it is tried again after Retry.
	VMFailed VMState = "Failed"
)

// VMChanged says what the VM is. The VM actor sends it to the app actor after
// each change of any of its fields and as the answer to each EnsureVM.
type VMChanged struct {
	// Generation of the last EnsureVM that the VM actor has taken up; 0 before the first.
	Generation int64
	State      VMState
	// Since is when State was entered.
	Since time.Time
	// Wanted is whether the last EnsureVM asked for a running VM.
	Wanted bool
	// Current is whether what runs was brought up from the last EnsureVM's spec.
	Current bool
	// Driver in use, never auto; empty while none was picked.
	Driver appv1.DriverName
	// DriverReason says why this driver was picked.
	DriverReason string
	// Endpoint at which the engine answers, while State is VMRunning.
	Endpoint string
	// Message for a user: the phase of a start, or what failed and what to do next.
	Message string
	// Retry is when a failed start or stop is tried again; zero when it is not.
	Retry time.Time
}
