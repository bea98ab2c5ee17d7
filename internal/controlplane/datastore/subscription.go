package datastore

import (
	"strings"
	"sync"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// maxPending is how many events a watch may be behind. It then ends, and its
// client resumes from the log.
const maxPending = 20_000

// subscription collects the events that a watch has not taken yet. Whoever makes
// a change never waits for it.
type subscription struct {
	// key is what is watched: itself, or all keys that begin with it.
	key    string
	prefix bool

	mutex   sync.Mutex
	pending []*clientv3.Event
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

func (s *subscription) offer(event *clientv3.Event) {
	if !s.wants(string(event.Kv.Key)) {
		return
	}
	s.mutex.Lock()
	if len(s.pending) >= maxPending {
		s.overrun = true
		s.pending = nil
	}
	if !s.overrun {
		s.pending = append(s.pending, event)
	}
	s.mutex.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// take returns what has been offered since the last time; false when there has
// been too much.
func (s *subscription) take() ([]*clientv3.Event, bool) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	events := s.pending
	s.pending = nil
	return events, !s.overrun
}
