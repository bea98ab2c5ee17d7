package datastore

import (
	"context"

	"go.etcd.io/etcd/api/v3/mvccpb"
)

// change is one write: value is nil for a deletion.
type change struct {
	key   string
	value []byte
	// expected is the revision at which the key must be; 0: not there.
	expected int64
}

// outcome says what became of a change.
type outcome struct {
	done bool
	// revision of the change when it was done, else of the store.
	revision int64
	// found is what the key is when the change was not done; nil: not there.
	found *mvccpb.KeyValue
}

// write makes a change unless the key is not where it is expected. An error means
// that the change was not made, or that nobody can tell until the file can be
// read again; a full disk is such an error and neither a success nor a conflict.
// Once begun, a write is not given up when its caller goes away: whether it took
// place must be known.
func (s *Store) write(ctx context.Context, c change) (outcome, error) {
	if err := ctx.Err(); err != nil {
		return outcome{}, err
	}
	return s.enqueue(&c)
}

// settle makes sure that the head is what the log says.
func (s *Store) settle() error {
	if !s.unsure.Load() {
		return nil
	}
	_, err := s.enqueue(nil)
	return err
}

func (s *Store) enqueue(c *change) (outcome, error) {
	p := newPending(c)
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
	// The last batch may have had it.
	select {
	case <-p.done:
		return p.outcome, p.err
	default:
		return outcome{}, errClosed
	}
}
