package datastore

import (
	"context"

	"go.etcd.io/etcd/api/v3/mvccpb"
)

// change is one write: value is nil for a deletion.
type change struct {
	key   string
	value []byte
	// expected is the revision that the key must have; 0: it must not exist.
	expected int64
	// durable is set if the change must be on the disk before it is acknowledged.
	durable bool
}

// outcome is the result of a change that did not fail.
type outcome struct {
	// done is false for a conflict: the key was not at the expected revision.
	done bool
	// revision is that of the change, or of the store after a conflict.
	revision int64
	// found is the key's current value after a conflict; nil: it does not exist.
	found *mvccpb.KeyValue
}

// write makes a change if the key is at the expected revision. An error means that
// the change was not made, or that this is unknown until the file can be read
// again. A full disk is such an error, neither a success nor a conflict. Once
// submitted, a write completes even if its caller gives up: its outcome must be
// known.
func (s *Store) write(ctx context.Context, c change) (outcome, error) {
	if err := ctx.Err(); err != nil {
		return outcome{}, err
	}
	return s.submit(&c)
}

// ensureHeadCurrent makes the head equal to the log if a write had an uncertain
// outcome.
func (s *Store) ensureHeadCurrent() error {
	if !s.writeUncertain.Load() {
		return nil
	}
	_, err := s.submit(nil)
	return err
}

func (s *Store) submit(c *change) (outcome, error) {
	p := newPendingWrite(c)
	select {
	case s.queue <- p:
	case <-s.ended:
		return outcome{}, errClosed
	}
	select {
	case <-p.done:
		return p.outcome, p.err
	case <-s.ended:
	}
	// The last batch may have contained it.
	select {
	case <-p.done:
		return p.outcome, p.err
	default:
		return outcome{}, errClosed
	}
}
