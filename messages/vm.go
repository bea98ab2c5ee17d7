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
	// Subnet is the range of addresses of the engine's networks, in CIDR form; empty
	// leaves the choice to the driver. It counts for native.
	Subnet string
	// VM counts for drivers that run the engine in a VM; the others ignore it.
	VM VMProperties
}

// VMProperties are the properties of a VM.
type VMProperties struct {
	// CPUs is the number of virtual CPUs.
	CPUs int
	// Memory and Disk in bytes.
	Memory, Disk int64
	// Image is empty, "cloud", or an absolute path; see appv1.VM.
	Image        string
	Acceleration appv1.Acceleration
	// Restart and Reset are any text. Another Restart than the one that the VM
	// was started with asks for a restart, another Reset for a new disk.
	Restart, Reset string
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
	// Refused is whether no driver can carry out the last EnsureVM as things are:
	// a file is wrong, a program is missing. Trying again alone will not help.
	Refused bool
	// Silent is whether an engine runs and does not answer, which is VMFailed.
	Silent bool
	// Driver in use, never auto; empty while none was picked.
	Driver appv1.DriverName
	// DriverReason says why this driver was picked.
	DriverReason string
	// Endpoint at which the engine listens, while State is VMRunning, and while an
	// engine does not answer that is not given up, which is VMFailed.
	Endpoint string
	// Engine that listens at Endpoint.
	Engine appv1.EngineName
	// Message for a user: the phase of a start, or what failed and what to do next.
	Message string
	// Note is what a user should know about a VM that is as it should be: one
	// that is VMRunning and in trouble, or one that is VMStopped and went by force.
	Note string
	// Retry is when a failed start or stop is tried again; zero when it is not.
	Retry time.Time
}
