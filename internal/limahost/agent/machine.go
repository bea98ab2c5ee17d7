package agent

import (
	"context"
	"time"
)

// stopGrace is what a guest gets to shut itself down.
const stopGrace = 20 * time.Second

// machine is what runs the guest.
type machine interface {
	// pid of the machine's process; 0 if it lives in this one.
	pid() int
	// ended is closed when the machine is gone.
	ended() <-chan struct{}
	// how it ended, in words, once it has.
	how() string
	// stop ends the machine, by the guest's own shutdown or else by force, which
	// note then tells. ctx bounds it as a whole.
	stop(ctx context.Context, grace time.Duration) (note string, err error)
	// force ends the machine at once.
	force(ctx context.Context, why string) error
	// look says what the machine is at, as far as it can be asked.
	look(ctx context.Context) condition
	// wake lets a machine go on that was paused because the host's disk was full.
	wake(ctx context.Context) error
	// hint receives when it may be worth looking.
	hint() <-chan struct{}
	// networked is closed when the guest has brought its network up; nil if that
	// is never known.
	networked() <-chan struct{}
	// close lets go of a machine, which goes on if it has not ended and does not
	// live in this process.
	close()
}

// condition is what a machine is at.
type condition int

const (
	// unknown: the machine cannot be asked.
	unknown condition = iota
	// mute: the machine itself does not answer.
	mute
	// suspended: its process is stopped.
	suspended
	running
	// paused by somebody.
	paused
	// starved: paused because the host's disk did not take what it wrote.
	starved
)
