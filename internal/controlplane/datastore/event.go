package datastore

import (
	"context"
	"sync"

	clientv3 "go.etcd.io/etcd/client/v3"
	"k8s.io/apimachinery/pkg/runtime"
)

// event is a change as the watches get it. All watches that wait for it have the same
// one, so that its objects are decoded, and encoded for clients, once.
type event struct {
	*clientv3.Event

	mutex   sync.Mutex
	objects map[version]*decoded
}

// version is what an event has an object for: a storage, which knows the encoding,
// and whether it is that from before the change.
type version struct {
	storage  *watched
	previous bool
}

// decoded is an object that was decoded, or why it could not be.
type decoded struct {
	once sync.Once
	// object is shared and must not be changed.
	object runtime.Object
	// served is object as the watches of clients get it.
	served runtime.Object
	err    error
}

// size is about how many bytes the event keeps in memory.
func (e *event) size() int { return len(e.Kv.Key) + len(e.Kv.Value) }

// decode returns the object of the event, or that from before it.
func (e *event) decode(ctx context.Context, w *watched, previous bool) *decoded {
	if !w.shared {
		d := &decoded{}
		w.decode(ctx, e, previous, d)
		return d
	}
	e.mutex.Lock()
	key := version{w, previous}
	d := e.objects[key]
	if d == nil {
		d = &decoded{}
		if e.objects == nil {
			e.objects = map[version]*decoded{}
		}
		e.objects[key] = d
	}
	e.mutex.Unlock()
	d.once.Do(func() { w.decode(context.WithoutCancel(ctx), e, previous, d) })
	return d
}
