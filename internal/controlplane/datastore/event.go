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

	// fresh is set for a change that this process has just made, by the current definitions.
	fresh bool

	mutex   sync.Mutex
	objects map[version]*decoded
}

// version identifies one object of an event.
type version struct {
	// storage knows the encoding.
	storage *watchStorage
	// previous selects the object from before the change.
	previous bool
}

// decoded is an object of an event, which is decoded on first use.
type decoded struct {
	// forClients is the object as the watches of clients receive it; nil if it is not shared.
	forClients *cachedObject
	// object decodes it once. The result is shared and must not be changed.
	object func() (runtime.Object, error)
}

// reader returns the object as a watch receives it. It must be possible to decode it.
func (d *decoded) reader() runtime.Object {
	if d.forClients != nil {
		return d.forClients
	}
	object, _ := d.object()
	return object
}

// size is roughly the number of bytes that the event keeps in memory.
func (e *event) size() int { return len(e.Kv.Key) + len(e.Kv.Value) }

// of returns the object of the event, or the one from before it, for a storage.
func (e *event) of(ctx context.Context, w *watchStorage, previous bool) *decoded {
	if !w.shared {
		return e.newDecoded(ctx, w, previous)
	}
	e.mutex.Lock()
	defer e.mutex.Unlock()
	key := version{w, previous}
	d := e.objects[key]
	if d == nil {
		d = e.newDecoded(context.WithoutCancel(ctx), w, previous)
		d.forClients = &cachedObject{decoded: d}
		if w.storesWhatIsServed && e.fresh && !previous {
			d.forClients.stored, d.forClients.revision = e.Kv.Value, e.Kv.ModRevision
		}
		if e.objects == nil {
			e.objects = map[version]*decoded{}
		}
		e.objects[key] = d
	}
	return d
}

func (e *event) newDecoded(ctx context.Context, w *watchStorage, previous bool) *decoded {
	kv := e.Kv
	if previous {
		kv = e.PrevKv
	}
	return &decoded{object: sync.OnceValues(func() (runtime.Object, error) { return w.objectOf(ctx, kv, e.Kv.ModRevision) })}
}
