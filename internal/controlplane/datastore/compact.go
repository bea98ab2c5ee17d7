package datastore

import (
	"context"
	"time"

	"k8s.io/klog/v2"
)

// What is older than the interval and not among the last compactRetain revisions
// is forgotten: so far back a watch or a paged list can be resumed.
const (
	compactInterval = 5 * time.Minute
	compactRetain   = 1000
)

// checkpointEvery is after how many changes the write-ahead log, which is a few
// megabytes then, is copied into the file.
const checkpointEvery = 1000

// tidy forgets the past from time to time and keeps the write-ahead log small,
// until ctx ends.
func (s *Store) tidy(ctx context.Context) {
	tick := time.NewTicker(compactInterval)
	defer tick.Stop()
	target := s.revision()
	for {
		var err error
		select {
		case <-ctx.Done():
			return
		case <-s.checkpointDue:
			err = s.log.checkpoint(ctx)
		case <-tick.C:
			err = s.compactTo(ctx, target)
			target = s.revision()
		}
		if err != nil && ctx.Err() == nil {
			klog.Warningf("the datastore could not be tidied up, this is tried again: %v", err)
		}
	}
}

// compactTo forgets what was superseded before the target revision, but not what
// is among the last revisions.
func (s *Store) compactTo(ctx context.Context, target int64) error {
	return s.log.forget(ctx, min(target, s.revision()-compactRetain))
}

func (s *Store) revision() int64 {
	s.mutex.RLock()
	defer s.mutex.RUnlock()
	return s.head.revision
}
