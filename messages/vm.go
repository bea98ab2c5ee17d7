package messages

import (
	"time"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
)

// EnsureVM sends the VM actor the desired state. The app actor repeats it after each
// change of the App and after each restart of either actor.
type EnsureVM struct {
	// Generation of the App.
	Generation int64
	// Running is whether the VM, or the engine in its place, should be up.
	Running bool
	// Idle is set instead of Running to stop a VM that no client has used for this time,
	// and then to hold the connections to its engine.
	Idle time.Duration
	// Spec of the engine.
	Spec VMSpec
}

// VMSpec is the part of the App's spec that the VM actor applies. Equal specs
// describe the same engine.
type VMSpec struct {
	Driver   appv1.DriverName
	Endpoint string
	Engine   appv1.EngineName
	// Subnet is the range of addresses of the engine's networks, in CIDR form; empty
	// leaves the choice to the driver. Only native uses it.
	Subnet string
	// Settings are the settings of the engine, encoded by engineconfig; empty for none.
	Settings string
	// VM is for drivers that run the engine in a VM; the others ignore it.
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
	// Mounts are the shared directories, encoded by package mounts; empty for none.
	Mounts string
	// Restart and Reset are any text. A change of Restart requests a restart of the
	// VM, a change of Reset a new disk.
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
	// VMFailed: the last start or stop failed; it is retried at VMChanged.Retry.
	VMFailed VMState = "Failed"
)

// VMChanged reports the state of the VM to the app actor. The VM actor sends it when a
// field has changed, and as the answer to each EnsureVM.
type VMChanged struct {
	// Generation of the last EnsureVM that was received; 0 before the first.
	Generation int64
	State      VMState
	// Since is when State was entered.
	Since time.Time
	// Desired is whether the last EnsureVM requested a running VM.
	Desired bool
	// Current is whether the running engine was started from the last EnsureVM's spec.
	Current bool
	// Refused is whether no driver can apply the last EnsureVM until the user changes
	// something: a file is wrong, a program is missing.
	Refused bool
	// Silent is whether an engine runs and does not answer. State is VMFailed then.
	Silent bool
	// Driver in use, never auto; empty while none was chosen.
	Driver appv1.DriverName
	// DriverReason says why this driver was chosen.
	DriverReason string
	// Endpoint at which the engine listens, while State is VMRunning, or Silent is set
	// and the engine is not given up.
	Endpoint string
	// Engine that listens at Endpoint.
	Engine appv1.EngineName
	// Message for a user: the phase of a start, or what failed and what to do next.
	Message string
	// Note warns a user although the desired state is reached: the VM runs and has a
	// problem, or it was stopped by force.
	Note string
	// Failure is what failed last and why, in one line, while State is VMFailed. It is
	// equal for each attempt that fails alike.
	Failure string
	// Retry is when a failed start or stop is retried; zero when it is not.
	Retry time.Time
	// Used is when a client last used the engine since EnsureVM.Idle was set; zero if none
	// did. Such a VM should run.
	Used time.Time
}

func (EnsureVM) toVM()   {}
func (VMChanged) toApp() {}
