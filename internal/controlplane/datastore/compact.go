package datastore

import (
	"context"
	"errors"
	"time"

	"github.com/k3s-io/kine/pkg/server"
	"github.com/sirupsen/logrus"
)

// What is older than the interval and not among the last compactRetain revisions
// is forgotten: so far back a watch or a paged list can be resumed.
const (
	compactInterval = 5 * time.Minute
	compactRetain   = 1000
)

// compact forgets the past from time to time, until ctx ends.
func (s *Store) compact(ctx context.Context) {
	tick := time.NewTicker(compactInterval)
	defer tick.Stop()
	target := s.revision()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := s.compactTo(ctx, target); err != nil && ctx.Err() == nil {
			logrus.Warnf("the past of the datastore could not be compacted, this is tried again: %v", err)
		}
		target = s.revision()
	}
}

// compactTo forgets the revisions before target that have been superseded.
func (s *Store) compactTo(ctx context.Context, target int64) error {
	_, err := s.log.Compact(ctx, target)
	if errors.Is(err, server.ErrCompacted) {
		return nil // nothing has been written since
	}
	return err
}

func (s *Store) revision() int64 {
	s.mutex.RLock()
	defer s.mutex.RUnlock()
	return s.head.revision
}
