package datastore

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/k3s-io/kine/pkg/server"
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
// read again; unlike etcd's emulation in kine, a full disk is such an error and
// neither a success nor a conflict.
func (s *Store) write(ctx context.Context, c change) (outcome, error) {
	if err := ctx.Err(); err != nil {
		return outcome{}, err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeTimeout)
	defer cancel()
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if err := s.catchUp(ctx); err != nil {
		return outcome{}, err
	}
	current := s.head.values[c.key]
	if revisionOf(current) != c.expected {
		return outcome{revision: s.head.revision, found: current}, nil
	}
	revision, err := s.append(ctx, c)
	if err != nil {
		s.unsure = true
		return outcome{}, fmt.Errorf("write %s to the datastore: %w", c.key, err)
	}
	s.announce(c.key, bytes.Clone(c.value), revision)
	return outcome{done: true, revision: revision}, nil
}

// append adds a change to the log, which must be at the head.
func (s *Store) append(ctx context.Context, c change) (int64, error) {
	event := &server.Event{
		Create: c.expected == 0,
		Delete: c.value == nil,
		KV:     &server.KeyValue{Key: c.key, Value: c.value},
		PrevKV: &server.KeyValue{ModRevision: c.expected},
	}
	revision, err := s.log.Append(ctx, event)
	if revision > 0 && err == nil {
		return revision, nil
	}
	if err != nil && !errors.Is(err, server.ErrKeyExists) {
		return 0, err
	}
	if !event.Create {
		return 0, fmt.Errorf("the log is not at revision %d of it", c.expected)
	}
	// A key that was deleted and not yet compacted goes on from its deletion.
	batch, err := s.log.List(ctx, c.key, "", 1, 0, true, true)
	if err != nil {
		return 0, err
	}
	if len(batch.Events) == 0 || !batch.Events[0].Delete {
		return 0, errors.New("the log has it already")
	}
	event.PrevKV.ModRevision = batch.Events[0].KV.ModRevision
	if revision, err = s.log.Append(ctx, event); err == nil && revision == 0 {
		err = errors.New("the log did not take it")
	}
	return revision, err
}

// catchUp finds out what became of a write that failed. It is called with the
// mutex held for writing.
func (s *Store) catchUp(ctx context.Context) error {
	if !s.unsure {
		return nil
	}
	batch, err := s.log.After(ctx, "", "", s.head.revision, 0)
	if err != nil {
		return fmt.Errorf("find out what became of an earlier write: %w", err)
	}
	for _, event := range batch.Events {
		value := event.KV.Value
		if event.Delete {
			value = nil
		}
		s.announce(event.KV.Key, value, event.KV.ModRevision)
	}
	s.unsure = false
	return nil
}

// announce moves the head on and tells the watches. It is called with the mutex
// held for writing.
func (s *Store) announce(key string, value []byte, revision int64) {
	event := s.head.apply(key, value, revision)
	for watch := range s.watches {
		watch.offer(event)
	}
}

func revisionOf(kv *mvccpb.KeyValue) int64 {
	if kv == nil {
		return 0
	}
	return kv.ModRevision
}
