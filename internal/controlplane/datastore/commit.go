package datastore

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"go.etcd.io/etcd/api/v3/mvccpb"
)

// pending is a write that waits for its answer; one without a change only waits
// for the head to be what the log says.
type pending struct {
	change  *change
	outcome outcome
	err     error
	// done is closed when outcome and err are set.
	done chan struct{}
}

func newPending(c *change) *pending { return &pending{change: c, done: make(chan struct{})} }

// commits takes writes until ctx ends. Those that wait while others are written
// are written together.
func (s *Store) commits(ctx context.Context) {
	for {
		select {
		case p := <-s.queue:
			batch := append(make([]*pending, 0, rowsAtOnce), p)
			for len(batch) < rowsAtOnce && len(s.queue) > 0 {
				batch = append(batch, <-s.queue)
			}
			s.commit(ctx, batch)
			for _, p := range batch {
				close(p.done)
			}
		case <-ctx.Done():
			return
		}
	}
}

// commit decides about each write of a batch, writes those that are to be made and
// announces them. After an error none of them counts as made.
func (s *Store) commit(ctx context.Context, batch []*pending) {
	if err := s.catchUp(ctx); err != nil {
		for _, p := range batch {
			p.err = err
		}
		return
	}
	// Nobody else changes the head, so it can be read without the lock.
	next := tail{head: &s.head, revision: s.head.revision}
	for _, p := range batch {
		if p.change != nil {
			p.outcome = next.decide(p.change)
		}
	}
	if len(next.rows) == 0 {
		return
	}
	s.reservation.reserve(next.revision)
	began := time.Now()
	write := func(rows []row) error { return s.log.append(context.WithoutCancel(ctx), rows) }
	err := write(next.rows)
	if isFull(err) {
		err = s.appendWithBallast(next.rows, err, write)
	}
	if err == nil {
		s.announce(next.rows, time.Since(began))
		return
	}
	s.unsure.Store(true)
	for _, p := range batch {
		if p.change != nil { // who only reads is answered with what was before
			p.err = s.log.failed("write "+p.change.key+" to", err)
		}
	}
}

// tail is the head with the changes that are about to be written.
type tail struct {
	*head
	revision int64
	rows     []row
	values   map[string]*mvccpb.KeyValue
}

func (t *tail) at(key string) *mvccpb.KeyValue {
	if kv, changed := t.values[key]; changed {
		return kv
	}
	return t.head.values[key]
}

// decide takes a change up unless its key is not where it is expected.
func (t *tail) decide(c *change) outcome {
	current := t.at(c.key)
	if revisionOf(current) != c.expected {
		return outcome{revision: t.revision, found: current}
	}
	t.revision++
	r := row{revision: t.revision, key: c.key, value: bytes.Clone(c.value), created: t.revision, previous: c.expected}
	if current != nil {
		r.created = current.CreateRevision
	}
	t.rows = append(t.rows, r)
	if t.values == nil {
		t.values = map[string]*mvccpb.KeyValue{}
	}
	t.values[c.key] = nil
	if r.value != nil {
		t.values[c.key] = r.keyValue()
	}
	return outcome{done: true, revision: t.revision}
}

// catchUp finds out what became of a write that failed.
func (s *Store) catchUp(ctx context.Context) error {
	if !s.unsure.Load() {
		return nil
	}
	now, err := s.log.newest(ctx)
	if err == nil && now > s.head.revision {
		err = s.catchUpTo(ctx, now)
	}
	if err != nil {
		return fmt.Errorf("find out what became of an earlier write: %w", err)
	}
	s.unsure.Store(false)
	return nil
}

func (s *Store) catchUpTo(ctx context.Context, revision int64) error {
	events, err := s.log.after(ctx, s.head.revision, revision)
	if err != nil {
		return err
	}
	rows := make([]row, len(events))
	for i, e := range events {
		rows[i] = row{revision: e.Kv.ModRevision, key: string(e.Kv.Key), value: e.Kv.Value, created: e.Kv.CreateRevision}
	}
	s.announce(rows, 0)
	return nil
}

// announce moves the head on and tells the watches of a commit that took so long.
func (s *Store) announce(rows []row, took time.Duration) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	for _, r := range rows {
		event := &event{Event: s.head.apply(r)}
		for watch := range s.watches {
			watch.offer(event)
		}
	}
	s.commitCount++
	s.commitTime += took
	s.uncheckpointed += len(rows)
	select {
	case s.written <- struct{}{}:
	default:
	}
}

func revisionOf(kv *mvccpb.KeyValue) int64 {
	if kv == nil {
		return 0
	}
	return kv.ModRevision
}
