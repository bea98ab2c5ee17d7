package datastore

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"

	"go.etcd.io/etcd/api/v3/mvccpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// memoryLog keeps the changes in memory, by the rules of [log]. Superseded changes use
// at most as much memory as the limits of the store allow its objects.
type memoryLog struct {
	limits Limits

	mutex sync.RWMutex
	// rows are the changes that are not compacted, by revision.
	rows []row
	// size is the number of bytes of rows.
	size int
	// compacted is the revision before which history may be incomplete.
	compacted int64
}

var _ history = (*memoryLog)(nil)

func newMemoryLog(limits Limits, first int64) *memoryLog {
	return &memoryLog{limits: limits, compacted: first}
}

func (l *memoryLog) append(_ context.Context, rows []row, _ bool) error {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.rows = append(l.rows, rows...)
	for _, r := range rows {
		l.size += len(r.value)
	}
	if l.isFull() {
		l.compact(l.rows[len(l.rows)/2].revision)
	}
	if l.isFull() {
		l.compact(l.rows[len(l.rows)-1].revision)
	}
	return nil
}

func (l *memoryLog) isFull() bool {
	return len(l.rows) > 2*l.limits.Objects || l.size > 2*l.limits.Bytes
}

// compact removes the changes that are superseded at a revision.
func (l *memoryLog) compact(revision int64) {
	l.compacted = revision
	latest := map[string]int64{}
	for _, r := range l.rows {
		if r.revision <= revision {
			latest[r.key] = r.revision
		}
	}
	l.rows = slices.DeleteFunc(l.rows, func(r row) bool {
		superseded := r.revision <= revision && (r.value == nil || latest[r.key] != r.revision)
		if superseded {
			l.size -= len(r.value)
		}
		return superseded
	})
}

func (l *memoryLog) rangeAt(_ context.Context, start, end string, limit, revision int64) ([]*mvccpb.KeyValue, error) {
	l.mutex.RLock()
	defer l.mutex.RUnlock()
	if revision < l.compacted {
		return nil, rpctypes.ErrGRPCCompacted
	}
	values := map[string]*mvccpb.KeyValue{}
	for _, r := range l.rows[:l.after(revision)] {
		switch {
		case r.key < start || r.key >= end:
		case r.value == nil:
			delete(values, r.key)
		default:
			values[r.key] = r.keyValue()
		}
	}
	kvs := make([]*mvccpb.KeyValue, 0, len(values))
	for _, kv := range values {
		kvs = append(kvs, kv)
	}
	slices.SortFunc(kvs, func(a, b *mvccpb.KeyValue) int { return cmp.Compare(string(a.Key), string(b.Key)) })
	if limit > 0 && int64(len(kvs)) > limit {
		kvs = kvs[:limit]
	}
	return kvs, nil
}

func (l *memoryLog) changesAfter(_ context.Context, revision, last int64) ([]*clientv3.Event, error) {
	l.mutex.RLock()
	defer l.mutex.RUnlock()
	if revision < l.compacted {
		return nil, rpctypes.ErrGRPCCompacted
	}
	var events []*clientv3.Event
	for _, r := range l.rows[l.after(revision):l.after(last)] {
		event := &clientv3.Event{Type: mvccpb.PUT, Kv: r.keyValue()}
		if r.value == nil {
			event.Type = mvccpb.DELETE
		}
		if r.previous > 0 {
			event.PrevKv = l.rows[l.after(r.previous)-1].keyValue()
		}
		events = append(events, event)
	}
	return events, nil
}

// after returns the index of the first change after a revision.
func (l *memoryLog) after(revision int64) int {
	at, found := slices.BinarySearchFunc(l.rows, revision, func(r row, revision int64) int { return cmp.Compare(r.revision, revision) })
	if found {
		at++
	}
	return at
}

func (l *memoryLog) lastRevision(context.Context) (int64, error) {
	l.mutex.RLock()
	defer l.mutex.RUnlock()
	if len(l.rows) == 0 {
		return l.compacted, nil
	}
	return l.rows[len(l.rows)-1].revision, nil
}

func (*memoryLog) wrapError(doing string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s the store in memory: %w", doing, err)
}

func (*memoryLog) close() error { return nil }
