package home

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

// releaseWithin is how long an election that has ended may try to release the Lease. It is
// shorter than the time for which the lease actor waits for the release.
const releaseWithin = 1500 * time.Millisecond

var errElectionEnded = errors.New("the election has ended, and another one may hold the Lease")

// boundLock is the lock of one election, which uses it until shortly after its end. The next
// election of this machine has the same identity, so a late release by a former one would
// release the Lease that the next one holds. A request that is under way then has an older
// resource version, and is a conflict.
type boundLock struct {
	resourcelock.Interface

	isClosed atomic.Bool
}

// newBoundLock returns a lock for an election that ends with ctx.
func newBoundLock(ctx context.Context, lock resourcelock.Interface) *boundLock {
	l := &boundLock{Interface: lock}
	context.AfterFunc(ctx, func() {
		time.AfterFunc(releaseWithin, func() { l.isClosed.Store(true) })
	})
	return l
}

// Get implements resourcelock.Interface.
func (l *boundLock) Get(ctx context.Context) (*resourcelock.LeaderElectionRecord, []byte, error) {
	if l.isClosed.Load() {
		return nil, nil, errElectionEnded
	}
	return l.Interface.Get(ctx)
}

// Create implements resourcelock.Interface.
func (l *boundLock) Create(ctx context.Context, record resourcelock.LeaderElectionRecord) error {
	if l.isClosed.Load() {
		return errElectionEnded
	}
	return l.Interface.Create(ctx, record)
}

// Update implements resourcelock.Interface.
func (l *boundLock) Update(ctx context.Context, record resourcelock.LeaderElectionRecord) error {
	if l.isClosed.Load() {
		return errElectionEnded
	}
	return l.Interface.Update(ctx, record)
}
