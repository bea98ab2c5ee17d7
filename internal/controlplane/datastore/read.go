package datastore

import (
	"context"

	"go.etcd.io/etcd/api/v3/mvccpb"
)

// page is one page of a range of keys.
type page struct {
	kvs      []*mvccpb.KeyValue
	revision int64
	// count of keys from the start of the page to the end of the range.
	count int64
	more  bool
}

// get reads one key at revision (0: now). The revision that it returns is that
// of the store.
func (s *Store) get(ctx context.Context, key string, revision int64) (*mvccpb.KeyValue, int64, error) {
	if err := s.settle(ctx); err != nil {
		return nil, 0, err
	}
	s.mutex.RLock()
	current, now := s.head.values[key], s.head.revision
	s.mutex.RUnlock()
	if revision == 0 || revision == now {
		return current, now, nil
	}
	batch, err := s.log.List(ctx, key, "", 1, revision, false, false)
	if err != nil || len(batch.Events) == 0 {
		return nil, now, err
	}
	return keyValue(batch.Events[0].KV), now, nil
}

// list reads up to limit keys (0: all) of [start, end) at revision (0: now).
func (s *Store) list(ctx context.Context, start, end string, limit, revision int64, keysOnly bool) (page, error) {
	if err := s.settle(ctx); err != nil {
		return page{}, err
	}
	s.mutex.RLock()
	if revision == 0 || revision == s.head.revision {
		defer s.mutex.RUnlock()
		return s.head.page(start, end, limit, keysOnly), nil
	}
	s.mutex.RUnlock()
	return s.pastPage(ctx, start, end, limit, revision, keysOnly)
}

// pastPage is the page of an earlier revision, from the log.
func (s *Store) pastPage(ctx context.Context, start, end string, limit, revision int64, keysOnly bool) (page, error) {
	ask := limit
	if ask > 0 {
		ask++ // one more tells whether there is more
	}
	batch, err := s.log.List(ctx, start, end, ask, revision, false, keysOnly)
	if err != nil {
		return page{}, err
	}
	events := batch.Events
	result := page{revision: revision, count: int64(len(events))}
	if limit > 0 && int64(len(events)) > limit {
		events = events[:limit]
		result.more = true
		if _, result.count, err = s.log.Count(ctx, start, end, revision); err != nil {
			return page{}, err
		}
	}
	result.kvs = make([]*mvccpb.KeyValue, len(events))
	for i, event := range events {
		result.kvs[i] = keyValue(event.KV)
	}
	return result, nil
}

// settle makes sure that the head is what the log says.
func (s *Store) settle(ctx context.Context) error {
	s.mutex.RLock()
	unsure := s.unsure
	s.mutex.RUnlock()
	if !unsure {
		return nil
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.catchUp(ctx)
}
