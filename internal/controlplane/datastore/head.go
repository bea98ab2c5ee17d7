package datastore

import (
	"slices"

	"github.com/k3s-io/kine/pkg/server"
	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// head is the latest state of the log: each key that is there, and the revision
// at which all this holds. The key-values in it are shared and never changed.
type head struct {
	revision int64
	values   map[string]*mvccpb.KeyValue
	// keys are those of values, sorted.
	keys []string
}

func newHead(batch server.EventBatch) head {
	h := head{revision: batch.CurrentRev, values: make(map[string]*mvccpb.KeyValue, len(batch.Events))}
	for _, event := range batch.Events {
		h.values[event.KV.Key] = keyValue(event.KV)
		h.keys = append(h.keys, event.KV.Key)
	}
	slices.Sort(h.keys)
	return h
}

// apply moves the head on by one change and returns it as the watches see it.
// value is nil for a deletion.
func (h *head) apply(key string, value []byte, revision int64) *clientv3.Event {
	previous := h.values[key]
	event := &clientv3.Event{
		Type:   mvccpb.PUT,
		Kv:     &mvccpb.KeyValue{Key: []byte(key), Value: value, ModRevision: revision, CreateRevision: revision},
		PrevKv: previous,
	}
	if previous != nil {
		event.Kv.CreateRevision = previous.CreateRevision
	}
	h.revision = revision
	position, found := slices.BinarySearch(h.keys, key)
	if value == nil {
		event.Type = mvccpb.DELETE
		delete(h.values, key)
		if found {
			h.keys = slices.Delete(h.keys, position, position+1)
		}
		return event
	}
	h.values[key] = event.Kv
	if !found {
		h.keys = slices.Insert(h.keys, position, key)
	}
	return event
}

// between are the keys in [start, end), in order.
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

// keyValue converts a row of the log.
func keyValue(kv *server.KeyValue) *mvccpb.KeyValue {
	if kv == nil {
		return nil
	}
	return &mvccpb.KeyValue{
		Key:            []byte(kv.Key),
		Value:          kv.Value,
		Lease:          kv.Lease,
		CreateRevision: kv.CreateRevision,
		ModRevision:    kv.ModRevision,
	}
}
