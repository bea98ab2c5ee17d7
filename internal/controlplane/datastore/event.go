package datastore

import (
	"context"
	"sync"

	clientv3 "go.etcd.io/etcd/client/v3"
	"k8s.io/apimachinery/pkg/runtime"
)

// event is a change that watches receive. All watches share it, so its objects are
// decoded once, and encoded once for all clients.
type event struct {
	*clientv3.Event

	mutex   sync.Mutex
	objects map[version]*decoded
}

// version identifies one decoded object of an event.
type version struct {
	// storage knows the encoding.
	storage *watchStorage
	// previous selects the object from before the change.
	previous bool
}

// decoded is a decoded object, or the error of decoding it.
type decoded struct {
	once sync.Once
	// object is shared and must not be changed.
	object runtime.Object
	// forClients is object as the watches of clients receive it.
	forClients runtime.Object
	err        error
}

// size is roughly the number of bytes that the event keeps in memory.
func (e *event) size() int { return len(e.Kv.Key) + len(e.Kv.Value) }

// decode returns the object of the event, or the one from before it.
func (e *event) decode(ctx context.Context, w *watchStorage, previous bool) *decoded {
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
