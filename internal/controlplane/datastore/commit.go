package datastore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"go.etcd.io/etcd/api/v3/mvccpb"
)

// pendingWrite is a write that waits for its outcome. One without a change only
// waits for the head to be equal to the log.
type pendingWrite struct {
	change  *change
	outcome outcome
	err     error
	// done is closed when outcome and err are set.
	done chan struct{}
}

func newPendingWrite(c *change) *pendingWrite {
	return &pendingWrite{change: c, done: make(chan struct{})}
}

// commitLoop commits queued writes until ctx ends. Writes that queue up during a
// commit form the next batch.
func (s *Store) commitLoop(ctx context.Context) {
	for {
		select {
		case p := <-s.queue:
			batch := append(make([]*pendingWrite, 0, maxBatch), p)
			for len(batch) < maxBatch && len(s.queue) > 0 {
				batch = append(batch, <-s.queue)
			}
			s.commit(ctx, batch)
			s.expire(ctx)
			for _, p := range batch {
				close(p.done)
			}
			s.wakeClients(ctx)
		case <-s.expiry.due():
			s.expire(ctx)
			s.wakeClients(ctx)
		case <-ctx.Done():
			return
		}
	}
}

// commit decides each write of a batch, appends those without a conflict to the log
// and publishes them. After an error none of them counts as made.
func (s *Store) commit(ctx context.Context, batch []*pendingWrite) {
	if err := s.reloadHead(ctx); err != nil {
		for _, p := range batch {
			p.err = err
		}
		return
	}
	var refusal error
	if s.ballast.isUsed() {
		refusal = errCreateRefused
	}
	next := s.decide(batch, refusal)
	if len(next.rows) == 0 {
		return
	}
	if s.reservation != nil {
		s.reservation.reserve(next.revision)
	}
	startedAt := time.Now()
	write := func(rows []row) error { return s.history.append(context.WithoutCancel(ctx), rows, next.durable) }
	err := write(next.rows)
	if isFull(err) {
		s.writeUncertain.Store(true)
		if next = s.decide(batch, err); len(next.rows) == 0 {
			return
		}
		err = s.appendWithBallast(next.rows, err, write)
	}
	if err == nil {
		s.publish(next.rows, time.Since(startedAt), next.durable)
		return
	}
	s.writeUncertain.Store(true)
	for _, p := range batch {
		if p.change != nil { // reads continue with the head from before the batch
			p.err = s.history.wrapError("write "+p.change.key+" to", err)
		}
	}
}

// errCreateRefused is the error of a new object while the ballast is used.
var errCreateRefused = errors.New("the disk is full, and the space that is left is kept for deletions and for 'rdd stop': free some space and retry")

// decide decides each change of a batch. With a refusal, no object is created.
func (s *Store) decide(batch []*pendingWrite, refusal error) batchView {
	// Only this goroutine changes the head, so it can be read without the lock.
	next := batchView{head: &s.head, revision: s.head.revision}
	for _, p := range batch {
		switch {
		case p.change == nil:
		case refusal != nil && p.change.value != nil && p.change.expected == 0 && next.at(p.change.key) == nil:
			p.outcome, p.err = outcome{}, s.history.wrapError("write "+p.change.key+" to", refusal)
		default:
			p.outcome = next.decide(p.change)
		}
	}
	return next
}

// batchView is the head as it will be after the changes of the current batch.
type batchView struct {
	*head
	revision int64
	rows     []row
	// durable is set if one of the changes must be on the disk before it is acknowledged.
	durable bool
	values  map[string]*mvccpb.KeyValue
}

func (t *batchView) at(key string) *mvccpb.KeyValue {
	if kv, changed := t.values[key]; changed {
		return kv
	}
	return t.head.values[key]
}

// decide adds a change to the batch if its key is at the expected revision. The deletion
// of a missing key changes nothing.
func (t *batchView) decide(c *change) outcome {
	current := t.at(c.key)
	switch {
	case revisionOf(current) != c.expected:
		return outcome{revision: t.revision, found: current}
	case current == nil && c.value == nil:
		return outcome{done: true, revision: t.revision}
	}
	t.revision++
	r := row{revision: t.revision, key: c.key, value: bytes.Clone(c.value), created: t.revision, previous: c.expected}
	if current != nil {
		r.created = current.CreateRevision
	}
	t.rows = append(t.rows, r)
	t.durable = t.durable || c.durable
	if t.values == nil {
		t.values = map[string]*mvccpb.KeyValue{}
	}
	t.values[c.key] = nil
	if r.value != nil {
		t.values[c.key] = r.keyValue()
	}
	return outcome{done: true, revision: t.revision}
}

// reloadHead reads the outcome of an uncertain write from the log, if there is one.
func (s *Store) reloadHead(ctx context.Context) error {
	if !s.writeUncertain.Load() {
		return nil
	}
	now, err := s.history.lastRevision(ctx)
	if err == nil && now > s.head.revision {
		err = s.reloadHeadTo(ctx, now)
	}
	if err != nil {
		return fmt.Errorf("read the outcome of an earlier write: %w", err)
	}
	s.writeUncertain.Store(false)
	return nil
}

// reloadHeadTo publishes the changes in the log from the head up to a revision.
func (s *Store) reloadHeadTo(ctx context.Context, revision int64) error {
	for s.head.revision < revision {
		changes, err := s.history.changesAfter(ctx, s.head.revision, revision)
		if err != nil || len(changes) == 0 {
			return err
		}
		rows := make([]row, len(changes))
		for i, c := range changes {
			rows[i] = row{revision: c.Kv.ModRevision, key: string(c.Kv.Key), value: c.Kv.Value, created: c.Kv.CreateRevision}
		}
		s.publish(rows, 0, false)
	}
	return nil
}

// publish applies a commit to the head and sends it to the watches. took is the
// duration of the commit, and synced whether it waited for the disk, for the metrics.
func (s *Store) publish(rows []row, took time.Duration, synced bool) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	for _, r := range rows {
		event := &event{Event: s.head.apply(r), fresh: true}
		s.expiry.note(event.Event)
		for watch := range s.watches {
			switch {
			case !watch.enqueue(event):
			case watch.pace == nil:
				watch.signal()
			default:
				s.toWake[watch] = struct{}{}
			}
		}
	}
	s.commitCount++
	if synced {
		s.syncCount++
	}
	s.commitTime += took
	s.uncheckpointed += len(rows)
	select {
	case s.written <- struct{}{}:
	default:
	}
}

// wakeClients wakes the watches of clients that have events. It is called when the writers
// have their outcome, so that they do not wait for the watches.
func (s *Store) wakeClients(ctx context.Context) {
	for watch := range s.toWake {
		s.fanOut.wake(ctx, watch)
	}
	clear(s.toWake)
}

func revisionOf(kv *mvccpb.KeyValue) int64 {
	if kv == nil {
		return 0
	}
	return kv.ModRevision
}
