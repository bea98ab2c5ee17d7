package datastore

import (
	"context"
	"slices"
	"time"

	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// maxSuperseded is how many superseded entries an expiry keeps beside the others.
const maxSuperseded = 100

// expiry selects the objects that a store in memory removes. A nil expiry, that of a
// store in a file, selects none.
type expiry struct {
	Limits

	// changes has the last change of each object, oldest first. Between them are
	// superseded changes.
	changes []lastChange
	// size is the number of bytes of all objects.
	size int
	// timer fires when the oldest change is too old.
	timer *time.Timer
}

// lastChange is a change after which the object is at a revision.
type lastChange struct {
	key      string
	revision int64
	at       time.Time
}

func newExpiry(limits Limits) *expiry {
	e := &expiry{Limits: limits, timer: time.NewTimer(limits.Age)}
	e.timer.Stop()
	return e
}

// due receives when expire must be called.
func (e *expiry) due() <-chan time.Time {
	if e == nil {
		return nil
	}
	return e.timer.C
}

// note records a change that was made.
func (e *expiry) note(event *clientv3.Event) {
	if e == nil {
		return
	}
	e.size += len(event.Kv.Value) - len(event.PrevKv.GetValue())
	if event.Type != mvccpb.DELETE {
		e.changes = append(e.changes, lastChange{key: string(event.Kv.Key), revision: event.Kv.ModRevision, at: time.Now()})
	}
}

// expire removes the objects beyond the limits of the store. It runs in the goroutine
// that commits, before a write is acknowledged.
func (s *Store) expire(ctx context.Context) {
	if s.expiry == nil {
		return
	}
	for {
		var batch []*pendingWrite
		for _, c := range s.expiry.take(&s.head, time.Now()) {
			batch = append(batch, newPendingWrite(&change{key: c.key, expected: c.revision}))
		}
		if len(batch) == 0 {
			break
		}
		s.commit(ctx, batch)
	}
	s.expiry.schedule()
}

// take returns the next objects to remove, at most maxBatch, and forgets them.
func (e *expiry) take(h *head, now time.Time) []lastChange {
	if len(e.changes) > 2*len(h.keys)+maxSuperseded {
		e.changes = slices.DeleteFunc(e.changes, func(c lastChange) bool { return c.isSuperseded(h) })
	}
	var taken []lastChange
	objects, size := len(h.keys), e.size
	for len(e.changes) > 0 && len(taken) < maxBatch {
		c := e.changes[0]
		if !c.isSuperseded(h) {
			if objects <= e.Objects && size <= e.Bytes && now.Sub(c.at) < e.Age {
				break
			}
			objects, size = objects-1, size-len(h.values[c.key].Value)
			taken = append(taken, c)
		}
		e.changes = e.changes[1:]
	}
	return taken
}

// isSuperseded reports whether the object was changed later, or removed.
func (c lastChange) isSuperseded(h *head) bool { return revisionOf(h.values[c.key]) != c.revision }

func (e *expiry) schedule() {
	if len(e.changes) == 0 {
		e.timer.Stop()
		return
	}
	e.timer.Reset(time.Until(e.changes[0].at.Add(e.Age)))
}
