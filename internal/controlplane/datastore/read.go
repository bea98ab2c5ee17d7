package datastore

import (
	"context"

	"go.etcd.io/etcd/api/v3/mvccpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
)

// page is one page of a range of keys.
type page struct {
	kvs []*mvccpb.KeyValue
	// revision is the current one, also for a page of the past.
	revision int64
	// count is the number of keys from the start of the page to the end of the range.
	count int64
	more  bool
}

// get reads one key at revision (0: now). It also returns the current revision of
// the store.
func (s *Store) get(ctx context.Context, key string, revision int64) (*mvccpb.KeyValue, int64, error) {
	if err := s.ensureHeadCurrent(); err != nil {
		return nil, 0, err
	}
	s.mutex.RLock()
	current, now := s.head.values[key], s.head.revision
	s.mutex.RUnlock()
	switch {
	case revision == 0 || revision == now:
		return current, now, nil
	case revision > now:
		return nil, now, rpctypes.ErrGRPCFutureRev
	}
	kvs, err := s.history.rangeAt(ctx, key, key+"\x00", 1, revision)
	if err != nil || len(kvs) == 0 {
		return nil, now, err
	}
	return kvs[0], now, nil
}

// list reads up to limit keys (0: all) of [start, end) at revision (0: now).
func (s *Store) list(ctx context.Context, start, end string, limit, revision int64, keysOnly bool) (page, error) {
	if err := s.ensureHeadCurrent(); err != nil {
		return page{}, err
	}
	s.mutex.RLock()
	now := s.head.revision
	if revision == 0 || revision == now {
		defer s.mutex.RUnlock()
		return s.head.page(start, end, limit, keysOnly), nil
	}
	s.mutex.RUnlock()
	if revision > now {
		return page{}, rpctypes.ErrGRPCFutureRev
	}
	// Reads of the past are rare; a client that pages through a list makes them.
	kvs, err := s.history.rangeAt(ctx, start, end, 0, revision)
	result := page{kvs: kvs, revision: now, count: int64(len(kvs))}
	if limit > 0 && result.count > limit {
		result.kvs, result.more = kvs[:limit], true
	}
	return result, err
}
