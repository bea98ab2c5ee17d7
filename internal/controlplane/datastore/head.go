package datastore

import (
	"slices"

	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// head is the latest state of the log: all existing keys, and the revision of that
// state. Its key-values are shared and never changed.
type head struct {
	revision int64
	values   map[string]*mvccpb.KeyValue
	// keys are the keys of values, sorted.
	keys []string
}

// apply applies one change and returns it as an event for the watches.
func (h *head) apply(r row) *clientv3.Event {
	event := &clientv3.Event{Type: mvccpb.PUT, Kv: r.keyValue(), PrevKv: h.values[r.key]}
	h.revision = r.revision
	position, found := slices.BinarySearch(h.keys, r.key)
	switch {
	case r.value == nil:
		event.Type = mvccpb.DELETE
		delete(h.values, r.key)
		if found {
			h.keys = slices.Delete(h.keys, position, position+1)
		}
		return event
	case !found:
		h.keys = slices.Insert(h.keys, position, r.key)
	}
	h.values[r.key] = event.Kv
	return event
}

// between returns the keys in [start, end), sorted.
func (h *head) between(start, end string) []string {
	from, _ := slices.BinarySearch(h.keys, start)
	to, _ := slices.BinarySearch(h.keys, end)
	return h.keys[from:max(from, to)]
}

// page returns up to limit keys (0: all) of [start, end).
func (h *head) page(start, end string, limit int64, keysOnly bool) page {
	keys := h.between(start, end)
	result := page{revision: h.revision, count: int64(len(keys))}
	if limit > 0 && result.count > limit {
		keys = keys[:limit]
		result.more = true
	}
	result.kvs = make([]*mvccpb.KeyValue, len(keys))
	for i, key := range keys {
		result.kvs[i] = h.values[key]
		if keysOnly {
			result.kvs[i] = &mvccpb.KeyValue{Key: []byte(key), ModRevision: h.values[key].ModRevision}
		}
	}
	return result
}
