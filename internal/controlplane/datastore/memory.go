package datastore

import (
	"context"
	"time"

	"go.etcd.io/etcd/api/v3/mvccpb"
)

// Limits are the limits of a store in memory. Beyond them the store removes the objects
// that have not changed for the longest time.
type Limits struct {
	// Objects is the maximum number of objects, and Bytes that of their encodings.
	Objects int
	Bytes   int
	// Age is how long an object is kept after its last change.
	Age time.Duration
}

// OpenMemory returns an empty store without a file. Nothing in it survives its end.
//
// Its revisions are higher than those of earlier stores, by the clock, and higher than
// after. So a client that resumes a watch of an earlier store must list again.
func OpenMemory(ctx context.Context, limits Limits, after int64) *Store {
	return openMemory(ctx, limits, epoch(time.Now(), after))
}

func openMemory(ctx context.Context, limits Limits, first int64) *Store {
	s := newStore(newMemoryLog(limits, first), head{revision: first, values: map[string]*mvccpb.KeyValue{}})
	s.expiry = newExpiry(limits)
	s.start(ctx)
	return s
}

// Revision returns the revision of the last change.
func (s *Store) Revision() int64 { return s.revision() }
