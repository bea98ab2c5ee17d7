package process

import (
	"context"
	"time"
)

// Process identifies one process. The start time distinguishes it from a later process
// with the same pid.
type Process struct {
	PID    int
	Parent int
	// Start is the start time, in clock ticks since boot on Linux and in microseconds
	// since 1970 on macOS. Compare start times of the same boot only; see BootID.
	Start uint64
}

// Alive reports whether this same process is still running. A zombie is not.
func (p Process) Alive() bool {
	now, ok := Find(p.PID)
	return ok && now.Start == p.Start
}

// WaitFor returns nil if the process ends within limit, else the error of ctx or a
// context.DeadlineExceeded.
func (p Process) WaitFor(ctx context.Context, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return p.Wait(ctx)
}
