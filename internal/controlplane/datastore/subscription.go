package datastore

import (
	"context"
	"strings"
	"sync"

	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// maxPending and maxPendingSize limit how many events and bytes a watch may lag
// behind. A watch that exceeds them ends, and its client resumes from the log. All
// lagging watches share the same events, so together they keep no more in memory.
const (
	maxPending     = 20_000
	maxPendingSize = 32 << 20
)

// subscription queues the events that a watch has not read yet. A write never waits
// for it.
type subscription struct {
	// key is the watched key, or with prefix the prefix of all watched keys.
	key    string
	prefix bool

	mutex   sync.Mutex
	pending []*event
	size    int
	overrun bool
	// wake signals that there are pending events; it has room for one signal.
	wake chan struct{}
	// pace limits how often it takes events in a burst; nil for a watch in the daemon, which
	// always takes them at once. Only follow uses it.
	pace *pace
	// waits is set while it waits to be woken. It is guarded by the mutex of [fanOut].
	waits bool
}

func newSubscription(key string, prefix bool) *subscription {
	return &subscription{key: key, prefix: prefix, wake: make(chan struct{}, 1)}
}

func (s *subscription) matches(key string) bool {
	return key == s.key || s.prefix && strings.HasPrefix(key, s.key)
}

// end is the exclusive end of the range of watched keys.
func (s *subscription) end() string {
	if s.prefix {
		return clientv3.GetPrefixRangeEnd(s.key)
	}
	return s.key + "\x00"
}

// enqueue adds an event, and returns whether the watch follows its key. The caller wakes the
// watch.
func (s *subscription) enqueue(e *event) bool {
	if !s.matches(string(e.Kv.Key)) {
		return false
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
	return true
}

func (s *subscription) signal() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// take returns the events since the last call. It returns false after an overrun.
func (s *subscription) take() ([]*event, bool) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	events := s.pending
	s.pending, s.size = nil, 0
	return events, !s.overrun
}

// startPoint is where a subscription starts.
type startPoint struct {
	// revision is the one after which the subscription receives every change.
	revision int64
	// existing are the key-values at that revision, if requested.
	existing []*mvccpb.KeyValue
}

// subscribe registers a subscription. It returns false when the store is closed.
// Close waits until the caller has called unsubscribe.
func (s *Store) subscribe(subscription *subscription, existing bool) (startPoint, bool) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.closed {
		return startPoint{}, false
	}
	s.tasks.Add(1)
	s.watches[subscription] = struct{}{}
	p := startPoint{revision: s.head.revision}
	if existing {
		p.existing = s.head.page(subscription.key, subscription.end(), 0, false).kvs
	}
	return p, true
}

// follow passes the changes of the subscribed keys to next: first those after revision
// from up to the start point, out of the log, then the live ones. It returns nil when
// next returned false, ctx has ended, or the subscription is overrun.
func (s *Store) follow(ctx context.Context, subscription *subscription, from int64, at startPoint, next func([]*event) (bool, error)) error {
	if ok, err := s.followHistory(ctx, subscription, from, at.revision, next); !ok || err != nil {
		return err
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-subscription.wake:
		}
		if !subscription.pace.wait(ctx) {
			return nil
		}
		events, complete := subscription.take()
		subscription.pace.took(len(events))
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

// followHistory passes the changes of the subscribed keys after revision from up to
// last to next, in batches of a bounded size. It returns false when next did.
func (s *Store) followHistory(ctx context.Context, subscription *subscription, from, last int64, next func([]*event) (bool, error)) (bool, error) {
	for from < last {
		changes, err := s.history.changesAfter(ctx, from, last)
		if err != nil {
			return false, err
		}
		if len(changes) == 0 {
			break
		}
		from = changes[len(changes)-1].Kv.ModRevision
		if ok, err := next(subscription.events(changes)); !ok || err != nil {
			return ok, err
		}
	}
	return true, nil
}

// events returns the changes of the subscribed keys as events.
func (s *subscription) events(changes []*clientv3.Event) []*event {
	var events []*event
	for _, change := range changes {
		if s.matches(string(change.Kv.Key)) {
			events = append(events, &event{Event: change})
		}
	}
	return events
}
