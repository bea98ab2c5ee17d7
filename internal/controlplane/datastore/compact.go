package datastore

import (
	"context"
	"time"

	"k8s.io/klog/v2"
)

// What is older than the interval and not among the last compactRetain changes
// is forgotten: so far back a watch or a paged list can be resumed.
const (
	compactInterval = 5 * time.Minute
	compactRetain   = 1000
)

// checkpointEvery is after how many changes the write-ahead log, which is about
// ten megabytes then, is copied into the file; idleAfter is when that is done with
// fewer of them because nothing more comes.
const (
	checkpointEvery = 1000
	idleAfter       = 5 * time.Second
)

// tidy forgets the past from time to time and keeps the write-ahead log small,
// until ctx ends.
func (s *Store) tidy(ctx context.Context) {
	tick := time.NewTicker(compactInterval)
	defer tick.Stop()
	idle := time.NewTimer(idleAfter)
	idle.Stop()
	defer idle.Stop()
	s.warn(ctx, s.ballast.fill())
	// The last daemon may have ended before it was due.
	s.warn(ctx, s.compactTo(ctx, s.revision()))
	target := s.revision()
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.written:
			idle.Reset(idleAfter)
			if s.takeUncheckpointed(checkpointEvery) {
				_, err := s.log.checkpoint(ctx, false)
				s.warn(ctx, err)
			}
		case <-idle.C:
			s.takeUncheckpointed(0)
			emptied, err := s.log.checkpoint(ctx, true)
			s.warn(ctx, err)
			if !emptied && ctx.Err() == nil {
				idle.Reset(10 * idleAfter)
			}
		case <-tick.C:
			s.warn(ctx, s.ballast.fill())
			s.warn(ctx, s.compactTo(ctx, target))
			target = s.revision()
		}
	}
}

func (s *Store) warn(ctx context.Context, err error) {
	if err != nil && ctx.Err() == nil {
		klog.Warningf("this is tried again: %v", s.log.failed("tidy up", err))
	}
}

// takeUncheckpointed starts the count of changes anew, if it has come so far.
func (s *Store) takeUncheckpointed(least int) bool {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.uncheckpointed < least {
		return false
	}
	s.uncheckpointed = 0
	return true
}

// compactTo forgets what was superseded before the target revision, but not what
// is among the last changes.
func (s *Store) compactTo(ctx context.Context, target int64) error {
	retained, err := s.log.retained(ctx, compactRetain)
	if err != nil {
		return err
	}
	return s.log.forget(ctx, min(target, retained))
}

func (s *Store) revision() int64 {
	s.mutex.RLock()
	defer s.mutex.RUnlock()
	return s.head.revision
}
