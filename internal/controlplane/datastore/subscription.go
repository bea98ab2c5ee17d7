package datastore

import (
	"context"
	"slices"
	"strings"
	"sync"

	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// maxPending is how many events a watch may be behind, and maxPendingSize how many
// bytes. It then ends, and its client resumes from the log. Those that are behind
// wait for the same events, so that all of them together keep no more in memory.
const (
	maxPending     = 20_000
	maxPendingSize = 32 << 20
)

// subscription collects the events that a watch has not taken yet. A write never
// waits for it.
type subscription struct {
	// key is what is watched: itself, or all keys that begin with it.
	key    string
	prefix bool

	mutex   sync.Mutex
	pending []*event
	size    int
	overrun bool
	// wake has room for one note that there is something to take.
	wake chan struct{}
}

func newSubscription(key string, prefix bool) *subscription {
	return &subscription{key: key, prefix: prefix, wake: make(chan struct{}, 1)}
}

func (s *subscription) wants(key string) bool {
	return key == s.key || s.prefix && strings.HasPrefix(key, s.key)
}

// end is the end of the range of keys.
func (s *subscription) end() string {
	if s.prefix {
		return clientv3.GetPrefixRangeEnd(s.key)
	}
	return s.key + "\x00"
}

func (s *subscription) offer(e *event) {
	if !s.wants(string(e.Kv.Key)) {
		return
	}
	s.mutex.Lock()
	if s.size += e.size(); len(s.pending) >= maxPending || s.size > maxPendingSize {
		s.overrun = true
		s.pending = nil
	}
	if !s.overrun {
		s.pending = append(s.pending, e)
	}
	s.mutex.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// take returns what has been offered since the last time; false when there has
// been too much.
func (s *subscription) take() ([]*event, bool) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	events := s.pending
	s.pending, s.size = nil, 0
	return events, !s.overrun
}

// place is where a subscription begins.
type place struct {
	// revision after which the subscription sees everything.
	revision int64
	// existing is what there is at that revision, if it was asked for.
	existing []*mvccpb.KeyValue
}

// subscribe registers a subscription; it is false when the store is closed. The store
// waits for its end, which is unsubscribe.
func (s *Store) subscribe(subscription *subscription, existing bool) (place, bool) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.closed {
		return place{}, false
	}
	s.tasks.Add(1)
	s.watches[subscription] = struct{}{}
	p := place{revision: s.head.revision}
	if existing {
		p.existing = s.head.page(subscription.key, subscription.end(), 0, false).kvs
	}
	return p, true
}

// follow hands what happens to the subscribed keys from a place on to next, until ctx
// ends. What happened after revision from and before is handed over first. It returns
// nil when next returned false, ctx has ended, or too much waited.
func (s *Store) follow(ctx context.Context, subscription *subscription, from int64, at place, next func([]*event) (bool, error)) error {
	if from < at.revision {
		missed, err := s.missed(ctx, subscription, from, at.revision)
		if err != nil {
			return err
		}
		if ok, err := next(missed); !ok || err != nil {
			return err
		}
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-subscription.wake:
		}
		events, complete := subscription.take()
		if !complete {
			return nil
		}
		if ok, err := next(events); !ok || err != nil {
			return err
		}
	}
}

func (s *Store) unsubscribe(subscription *subscription) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	delete(s.watches, subscription)
	s.tasks.Done()
}

// missed reads the events after revision from up to now out of the log.
func (s *Store) missed(ctx context.Context, subscription *subscription, from, now int64) ([]*event, error) {
	changes, err := s.log.after(ctx, from, now)
	changes = slices.DeleteFunc(changes, func(e *clientv3.Event) bool { return !subscription.wants(string(e.Kv.Key)) })
	events := make([]*event, len(changes))
	for i, change := range changes {
		events[i] = &event{Event: change}
	}
	return events, err
}
