package process

import (
	"context"
	"time"
)

// Process is one process, told from a later one with the same pid by its start
// time.
type Process struct {
	PID    int
	Parent int
	// Start is in clock ticks since boot on Linux and in microseconds since 1970
	// on macOS. It compares with those of the same boot only; see BootID.
	Start uint64
}

// Alive is whether this very process still runs. A zombie does not.
func (p Process) Alive() bool {
	now, ok := Find(p.PID)
	return ok && now.Start == p.Start
}

// WaitFor returns nil when the process has ended within limit, and else the
// error of ctx or a context.DeadlineExceeded.
func (p Process) WaitFor(ctx context.Context, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return p.Wait(ctx)
}
