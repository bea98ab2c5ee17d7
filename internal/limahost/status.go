package limahost

import "time"

// LongPoll is how long the agent holds back an answer when nothing is new.
const LongPoll = 20 * time.Second

// Phase is a step of bringing up a VM, in this order.
type Phase string

// The phases of a start.
const (
	PhaseImage  Phase = "image"  // find or fetch the image
	PhaseDisk   Phase = "disk"   // make the VM's disk from it
	PhaseBoot   Phase = "boot"   // from the start of the machine until its SSH port answers
	PhaseSSH    Phase = "ssh"    // until a login works
	PhaseEngine Phase = "engine" // until the engine answers through the forwarded socket
	PhaseReady  Phase = "ready"  // all of it works
)

// PhaseTime is a phase that is over and how long it took.
type PhaseTime struct {
	Phase Phase         `json:"phase"`
	Took  time.Duration `json:"took"`
}

// Status is what the agent tells about itself and its VM. All of it was checked
// when it was written; nothing is carried over from an earlier agent.
type Status struct {
	// Revision grows with each change of the status, but not with a heartbeat
	// that tells nothing new.
	Revision int64 `json:"revision"`
	// PID of the agent.
	PID int `json:"pid"`
	// Spec that the VM runs with.
	Spec Spec `json:"spec"`

	// Phase that the start is in, since when, and the phases before it.
	Phase      Phase       `json:"phase"`
	PhaseSince time.Time   `json:"phaseSince"`
	Phases     []PhaseTime `json:"phases,omitempty"`

	// MachinePID is QEMU's pid; 0 while there is none, or where the VM lives in
	// the agent's own process.
	MachinePID int `json:"machinePID,omitempty"`
	// Adopted is whether the agent found the machine running.
	Adopted bool `json:"adopted,omitempty"`
	// StartedAt is when the machine was started.
	StartedAt time.Time `json:"startedAt,omitzero"`
	// SSHPort on 127.0.0.1.
	SSHPort int `json:"sshPort,omitempty"`

	// Image and Acceleration in use, and why these were chosen.
	Image              string `json:"image,omitempty"`
	ImageReason        string `json:"imageReason,omitempty"`
	Acceleration       string `json:"acceleration,omitempty"`
	AccelerationReason string `json:"accelerationReason,omitempty"`

	// Guest is the last heartbeat; nil before the first.
	Guest *Guest `json:"guest,omitempty"`
	// Trouble says what is wrong with a VM that is alive, and what to do next:
	// it does not answer, it was paused because the host's disk is full, its own
	// disk is full. Empty when nothing is.
	Trouble string `json:"trouble,omitempty"`
	// Note is what a user should know of a VM that is well, such as that its disk
	// is larger than was asked for. Empty when there is nothing.
	Note string `json:"note,omitempty"`
	// Answers is whether the guest has answered within the last heartbeats.
	Answers bool `json:"answers"`
}

// Guest is one heartbeat of the guest.
type Guest struct {
	// At is when it was heard, by the host's clock.
	At time.Time `json:"at"`
	// BootID changes with each boot of the guest.
	BootID string `json:"bootID"`
	// Uptime of the guest.
	Uptime time.Duration `json:"uptime"`
	// DiskSize and DiskFree of the file system with the engine's data, in bytes.
	DiskSize int64 `json:"diskSize"`
	DiskFree int64 `json:"diskFree"`
}

// End is how a host agent ended. It is a file that the agent writes as the last
// thing; an agent that was killed leaves none.
type End struct {
	// PID of the agent that ended.
	PID int       `json:"pid"`
	At  time.Time `json:"at"`
	// Error is empty for a stop that was asked for.
	Error string `json:"error,omitempty"`
	// Note is what a user should know about a stop that worked, such as that
	// force was needed.
	Note string `json:"note,omitempty"`
}
