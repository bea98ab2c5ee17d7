package datastore

import (
	"context"

	"github.com/k3s-io/kine/pkg/server"
	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// watcher turns kine's stream of all events into watches of a key or a range.
type watcher struct {
	store *Store
}

var _ clientv3.Watcher = watcher{}

// Watch implements [clientv3.Watcher]. The channel is closed when ctx or the
// store ends, or when the reader was too slow for the log; the client then
// resumes from the last revision it saw.
func (w watcher) Watch(ctx context.Context, key string, opts ...clientv3.OpOption) clientv3.WatchChan {
	op := clientv3.OpGet(key, opts...)
	out := make(chan clientv3.WatchResponse)
	go w.run(ctx, watched{key: key, end: string(op.RangeBytes()), from: op.Rev()}, out)
	return out
}

// watched says which events a watch wants.
type watched struct {
	key, end string
	// from is the first revision that is wanted; 0: the next one.
	from int64
}

func (w watcher) run(ctx context.Context, wanted watched, out chan<- clientv3.WatchResponse) {
	defer close(out)
	// kine's goroutines for this watch hang on its context.
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(w.store.client.Ctx(), cancel)
	defer stop()

	source := w.store.watches.Watch(ctx, wanted.from)
	if source.CompactRevision != 0 {
		send(ctx, out, clientv3.WatchResponse{
			Header:          &etcdserverpb.ResponseHeader{Revision: source.CurrentRevision},
			CompactRevision: source.CompactRevision,
			Canceled:        true,
		})
		return
	}
	for {
		select {
		case <-ctx.Done():
			return
		case batch, ok := <-source.Eventc:
			if !ok {
				sendError(ctx, out, source.Errorc)
				return
			}
			events := wanted.filter(batch)
			if len(events) == 0 {
				continue
			}
			response := clientv3.WatchResponse{
				Header: &etcdserverpb.ResponseHeader{Revision: batch.CurrentRev},
				Events: events,
			}
			if !send(ctx, out, response) {
				return
			}
		}
	}
}

func send(ctx context.Context, out chan<- clientv3.WatchResponse, response clientv3.WatchResponse) bool {
	select {
	case out <- response:
		return true
	case <-ctx.Done():
		return false
	}
}

// sendError passes on why kine ended the watch, if it said so.
func sendError(ctx context.Context, out chan<- clientv3.WatchResponse, errs <-chan error) {
	select {
	case err := <-errs:
		send(ctx, out, clientv3.WatchResponse{
			Header:       &etcdserverpb.ResponseHeader{},
			Canceled:     true,
			CancelReason: err.Error(),
		})
	default:
	}
}

func (w watched) filter(batch server.EventBatch) []*clientv3.Event {
	var events []*clientv3.Event
	for _, event := range batch.Events {
		if event.InRange(w.key, w.end) && event.KV.ModRevision >= w.from {
			events = append(events, clientEvent(event))
		}
	}
	return events
}

func clientEvent(event *server.Event) *clientv3.Event {
	result := &clientv3.Event{Type: mvccpb.PUT, Kv: keyValue(event.KV)}
	if event.Delete {
		result.Type = mvccpb.DELETE
	}
	if !event.Create {
		result.PrevKv = keyValue(event.PrevKV)
	}
	return result
}

// RequestProgress implements [clientv3.Watcher]; only a watch cache would ask.
func (watcher) RequestProgress(context.Context) error { return errUnused("RequestProgress") }

// Close implements [clientv3.Watcher]; [Store.Close] ends the watches.
func (watcher) Close() error { return nil }
