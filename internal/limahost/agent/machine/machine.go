package machine

import (
	"context"
	"time"
)

// Machine runs a guest.
type Machine interface {
	// PID returns the pid of the machine's process; 0 for a machine in this process.
	PID() int
	// Ended is closed when the machine has ended.
	Ended() <-chan struct{}
	// Cause returns why the machine ended. It may be called once Ended is closed.
	Cause() string
	// Stop ends the machine by the guest's own shutdown within grace, or else by
	// force, which note reports. ctx limits both.
	Stop(ctx context.Context, grace time.Duration) (note string, err error)
	// Condition probes the machine.
	Condition(ctx context.Context) Condition
	// Resume continues a machine that is OutOfSpace.
	Resume(ctx context.Context) error
	// Changed receives when the condition may have changed.
	Changed() <-chan struct{}
	// NetworkUp is closed when the guest has a network. It is nil for a machine
	// that does not report this.
	NetworkUp() <-chan struct{}
	// Release stops observing the machine. A machine with its own process
	// keeps running.
	Release()
}

// Condition is the state of a machine.
type Condition int

const (
	// Unknown is the condition of a machine that cannot be probed.
	Unknown Condition = iota
	// Unresponsive is a machine that does not answer a probe.
	Unresponsive
	// Suspended is a machine whose process is stopped.
	Suspended
	// Running is a machine that executes its guest.
	Running
	// Paused is a machine that another program has paused.
	Paused
	// OutOfSpace is a machine that paused itself because the host's disk was full.
	OutOfSpace
)
