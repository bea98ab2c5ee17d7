package datastore

import (
	"context"
	"errors"
	"slices"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// watcher follows a key or all keys with a prefix.
type watcher struct{ store *Store }

var _ clientv3.Watcher = watcher{}

// Watch implements [clientv3.Watcher]. The channel is closed when ctx or the
// store ends, or when the reader was too slow; the client then resumes from the
// last revision it saw.
func (w watcher) Watch(ctx context.Context, key string, opts ...clientv3.OpOption) clientv3.WatchChan {
	op := clientv3.OpGet(key, opts...)
	out := make(chan clientv3.WatchResponse)
	w.store.mutex.Lock()
	defer w.store.mutex.Unlock()
	if w.store.closed {
		close(out)
		return out
	}
	w.store.tasks.Go(func() {
		defer close(out)
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		stop := context.AfterFunc(w.store.client.Ctx(), cancel)
		defer stop()
		w.store.follow(ctx, newSubscription(key, len(op.RangeBytes()) > 0), op.Rev(), out)
	})
	return out
}

// follow sends what happens to the subscribed keys, beginning with revision from
// (0: with the next change).
func (s *Store) follow(ctx context.Context, subscription *subscription, from int64, out chan<- clientv3.WatchResponse) {
	now := s.subscribe(subscription)
	defer s.unsubscribe(subscription)
	if from > 0 && from <= now {
		missed, err := s.missed(ctx, subscription, from, now)
		if err != nil {
			if ctx.Err() == nil { // else nobody watches any more
				send(ctx, out, s.failure(err))
			}
			return
		}
		if !sendEvents(ctx, out, missed) {
			return
		}
	}
	if from > now+1 {
		send(ctx, out, s.failure(rpctypes.ErrGRPCFutureRev))
		return
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-subscription.wake:
		}
		events, complete := subscription.take()
		if !complete || !sendEvents(ctx, out, events) {
			return
		}
	}
}

// subscribe returns the revision after which the subscription sees everything.
func (s *Store) subscribe(subscription *subscription) int64 {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.watches[subscription] = struct{}{}
	return s.head.revision
}

func (s *Store) unsubscribe(subscription *subscription) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	delete(s.watches, subscription)
}

// missed reads the events of revisions from to now out of the log.
func (s *Store) missed(ctx context.Context, subscription *subscription, from, now int64) ([]*clientv3.Event, error) {
	events, err := s.log.after(ctx, from-1, now)
	return slices.DeleteFunc(events, func(e *clientv3.Event) bool { return !subscription.wants(string(e.Kv.Key)) }), err
}

// failure tells a client why its watch ends.
func (s *Store) failure(err error) clientv3.WatchResponse {
	response := clientv3.WatchResponse{Header: &etcdserverpb.ResponseHeader{}, Canceled: true}
	if errors.Is(err, rpctypes.ErrGRPCCompacted) {
		// Any revision other than 0 says that it has been compacted.
		response.CompactRevision = max(1, s.log.forgotten.Load())
		return response
	}
	response.CancelReason = err.Error()
	return response
}

func sendEvents(ctx context.Context, out chan<- clientv3.WatchResponse, events []*clientv3.Event) bool {
	if len(events) == 0 {
		return true
	}
	return send(ctx, out, clientv3.WatchResponse{
		Header: &etcdserverpb.ResponseHeader{Revision: events[len(events)-1].Kv.ModRevision},
		Events: events,
	})
}

func send(ctx context.Context, out chan<- clientv3.WatchResponse, response clientv3.WatchResponse) bool {
	select {
	case out <- response:
		return true
	case <-ctx.Done():
		return false
	}
}

// RequestProgress implements [clientv3.Watcher]; only a watch cache would ask.
func (watcher) RequestProgress(context.Context) error { return errUnused("RequestProgress") }

// Close implements [clientv3.Watcher]; [Store.Close] ends the watches.
func (watcher) Close() error { return nil }
