package limahost

import "time"

// LongPoll is how long the agent delays an answer when its status has not changed.
const LongPoll = 20 * time.Second

// Phase is a step of a VM's start.
type Phase string

// The phases of a start, in this order.
const (
	PhaseImage  Phase = "image"  // find or download the image
	PhaseDisk   Phase = "disk"   // make the VM's disk from the image
	PhaseBoot   Phase = "boot"   // from the start of the machine until its SSH port answers
	PhaseSSH    Phase = "ssh"    // until a login works
	PhaseEngine Phase = "engine" // until the engine answers through the forwarded socket
	PhaseReady  Phase = "ready"  // the engine has answered
)

// PhaseTime is a completed phase and its duration.
type PhaseTime struct {
	Phase Phase         `json:"phase"`
	Took  time.Duration `json:"took"`
}

// Status is the agent's report about itself and its VM. This agent observes every field,
// except how the machine was made, which may come from an earlier agent.
type Status struct {
	// Revision grows with each change of the status. A heartbeat that differs in
	// its time only is no change, and Clients are none.
	Revision int64 `json:"revision"`
	// PID is the pid of the agent.
	PID int `json:"pid"`
	// Spec is the spec of the running VM.
	Spec Spec `json:"spec"`

	// Phase is the current phase of the start, PhaseSince when it began, and Phases are
	// the completed ones.
	Phase      Phase       `json:"phase"`
	PhaseSince time.Time   `json:"phaseSince"`
	Phases     []PhaseTime `json:"phases,omitempty"`

	// MachinePID is QEMU's pid. It is 0 while there is no QEMU, and for a VM in the
	// agent's own process.
	MachinePID int `json:"machinePID,omitempty"`
	// Adopted reports whether the machine was running when the agent started.
	Adopted bool `json:"adopted,omitempty"`
	// StartedAt is when the machine was started.
	StartedAt time.Time `json:"startedAt,omitzero"`
	// SSHPort is the port of the guest's SSH server on 127.0.0.1.
	SSHPort int `json:"sshPort,omitempty"`

	// Image and Acceleration are those in use, with the reasons for the choice.
	Image              string `json:"image,omitempty"`
	ImageReason        string `json:"imageReason,omitempty"`
	Acceleration       string `json:"acceleration,omitempty"`
	AccelerationReason string `json:"accelerationReason,omitempty"`

	// Guest is the last heartbeat; nil before the first.
	Guest *Guest `json:"guest,omitempty"`
	// Trouble describes the fault of a running VM, and the fix: the guest does not
	// answer, the machine is paused because the host's disk is full, or the guest's disk
	// is full. It is empty without a fault.
	Trouble string `json:"trouble,omitempty"`
	// Note is information for the user that is no fault, such as a disk that is
	// larger than requested.
	Note string `json:"note,omitempty"`
	// Answers reports whether the guest has answered the last heartbeats.
	Answers bool `json:"answers"`
	// Clients are the processes with open connections to the engine's socket on the
	// host, and the two that have used it last. It is nil for an agent of an earlier
	// version, which does not count them.
	Clients []EngineClient `json:"clients"`
}

// EngineClient is a process that uses the engine's socket, or has used it.
type EngineClient struct {
	// PID is 0 if the process is not known.
	PID int `json:"pid"`
	// Open is the number of its open connections.
	Open int `json:"open"`
	// Used is when it last opened or closed one.
	Used time.Time `json:"used"`
}

// Guest is one heartbeat of the guest.
type Guest struct {
	// At is when the heartbeat arrived, by the host's clock.
	At time.Time `json:"at"`
	// BootID changes with each boot of the guest.
	BootID string `json:"bootID"`
	// Uptime is the time since the guest booted.
	Uptime time.Duration `json:"uptime"`
	// DiskSize and DiskFree are those of the file system with the engine's data,
	// in bytes.
	DiskSize int64 `json:"diskSize"`
	DiskFree int64 `json:"diskFree"`
}

// ExitStatus is how a host agent exited. The agent saves it last; an agent that was
// killed leaves none.
type ExitStatus struct {
	// PID is the pid of the agent that exited.
	PID int       `json:"pid"`
	At  time.Time `json:"at"`
	// Error is empty after a stop that the daemon requested.
	Error string `json:"error,omitempty"`
	// Note is information for the user about a stop that succeeded, such as that
	// force was necessary.
	Note string `json:"note,omitempty"`
}
