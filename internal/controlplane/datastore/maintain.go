package datastore

import (
	"context"
	"time"

	"k8s.io/klog/v2"
)

// A superseded change is removed when it is older than compactInterval and not among
// the last compactRetain changes. A watch or a paged list can resume up to that point.
const (
	compactInterval = 5 * time.Minute
	compactRetain   = 1000
)

// The write-ahead log is copied into the file after checkpointEvery changes, when it
// has about ten megabytes, or once there was no change for idleAfter.
const (
	checkpointEvery = 1000
	idleAfter       = 5 * time.Second
)

// maintain compacts the log periodically and keeps the write-ahead log small, until
// ctx ends.
func (s *Store) maintain(ctx context.Context) {
	tick := time.NewTicker(compactInterval)
	defer tick.Stop()
	idle := time.NewTimer(idleAfter)
	idle.Stop()
	defer idle.Stop()
	s.logFailure(ctx, s.ballast.fill())
	// The previous daemon may have ended before its compaction was due.
	s.logFailure(ctx, s.compactTo(ctx, s.revision()))
	target := s.revision()
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.written:
			idle.Reset(idleAfter)
			if s.resetUncheckpointed(checkpointEvery) {
				_, err := s.log.checkpoint(ctx, false)
				s.logFailure(ctx, err)
			}
		case <-idle.C:
			s.resetUncheckpointed(0)
			emptied, err := s.log.checkpoint(ctx, true)
			s.logFailure(ctx, err)
			if !emptied && ctx.Err() == nil {
				idle.Reset(10 * idleAfter)
			}
		case <-tick.C:
			s.logFailure(ctx, s.ballast.fill())
			s.logFailure(ctx, s.compactTo(ctx, target))
			s.logFailure(ctx, s.shrink(ctx))
			target = s.revision()
		}
	}
}

// shrink returns unused space to the file system, which gets it at a checkpoint.
func (s *Store) shrink(ctx context.Context) error {
	if err := s.log.shrink(ctx); err != nil {
		return err
	}
	_, err := s.log.checkpoint(ctx, false)
	return err
}

func (s *Store) logFailure(ctx context.Context, err error) {
	if err != nil && ctx.Err() == nil {
		klog.Warningf("%v; rdd retries", s.log.wrapError("maintain", err))
	}
}

// resetUncheckpointed sets the count of uncheckpointed changes to 0 if it is at least
// least, and reports whether it did.
func (s *Store) resetUncheckpointed(least int) bool {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.uncheckpointed < least {
		return false
	}
	s.uncheckpointed = 0
	return true
}

// compactTo removes the changes that are superseded at the target revision, except the
// last compactRetain changes.
func (s *Store) compactTo(ctx context.Context, target int64) error {
	retained, err := s.log.retained(ctx, compactRetain)
	if err != nil {
		return err
	}
	return s.log.compact(ctx, min(target, retained))
}

func (s *Store) revision() int64 {
	s.mutex.RLock()
	defer s.mutex.RUnlock()
	return s.head.revision
}
