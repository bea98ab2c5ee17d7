package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/watch"
)

// stream is an open watch, decoded into the type of its reader.
type stream[T any] struct {
	io.Closer
	decoder *json.Decoder
}

type streamEvent[T any] struct {
	Type   watch.EventType `json:"type"`
	Object T               `json:"object"`
}

// openStream watches a resource, and delivers existing objects first.
func openStream[T any](ctx context.Context, s *apiClient, path string) (*stream[T], error) {
	body, err := s.rest.Get().AbsPath(path).Param("watch", "1").MaxRetries(0).Stream(ctx)
	if err != nil {
		return nil, fmt.Errorf("watch %s: %w", path, err)
	}
	return &stream[T]{Closer: body, decoder: json.NewDecoder(body)}, nil
}

func (s *stream[T]) next() (streamEvent[T], error) {
	var event streamEvent[T]
	if err := s.decoder.Decode(&event); err != nil {
		return event, fmt.Errorf("read a watch: %w", err)
	}
	if event.Type == watch.Error {
		return event, fmt.Errorf("the watch ended with an error of the API server")
	}
	return event, nil
}

// sighting is the last observation of one mirror.
type sighting struct {
	// status of a container.
	status string
	// since is when the status was first seen, or the mirror if it has none.
	since time.Time
}

// tracker watches all mirrors over TLS, and records the times of events. A mirror
// counts as soon as it has a status.
type tracker struct {
	cancel context.CancelFunc
	ended  sync.WaitGroup

	mu   sync.Mutex
	seen map[string]sighting
	gone map[string]time.Time
	// last is the time of the last event.
	last    time.Time
	err     error
	changed chan struct{} // closed at the next event
}

// track opens the watches.
func (s *apiClient) track(ctx context.Context) (*tracker, error) {
	ctx, cancel := context.WithCancel(ctx)
	t := &tracker{cancel: cancel, seen: map[string]sighting{}, gone: map[string]time.Time{}, changed: make(chan struct{})}
	for _, resource := range []string{containers, images, volumes, namespaces} {
		events, err := openStream[mirror](ctx, s, s.path(resource))
		if err != nil {
			t.close()
			return nil, err
		}
		t.ended.Go(func() {
			defer events.Close()
			t.follow(resource, events)
		})
	}
	return t, nil
}

func (t *tracker) close() {
	t.cancel()
	t.ended.Wait()
}

func (t *tracker) follow(resource string, events *stream[mirror]) {
	for {
		event, err := events.next()
		t.mu.Lock()
		if err != nil {
			t.err = err
		} else {
			t.note(event.Type, event.Object.identity(resource), event.Object.Status.Status)
		}
		close(t.changed)
		t.changed = make(chan struct{})
		t.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// note must be called with the lock held.
func (t *tracker) note(event watch.EventType, identity, status string) {
	t.last = time.Now()
	if identity == "" {
		return
	}
	if event == watch.Deleted {
		delete(t.seen, identity)
		t.gone[identity] = t.last
		return
	}
	if was, known := t.seen[identity]; !known || was.status != status {
		t.seen[identity] = sighting{status: status, since: t.last}
	}
}

// await calls check after each event until it returns true, and returns its time.
func (t *tracker) await(ctx context.Context, what string, check func() (time.Time, bool)) (time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	for {
		t.mu.Lock()
		at, yes := check()
		changed, err, count := t.changed, t.err, len(t.seen)
		t.mu.Unlock()
		if yes {
			return at, nil
		}
		if err != nil {
			return time.Time{}, fmt.Errorf("wait for %s: %w", what, err)
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return time.Time{}, fmt.Errorf("wait for %s (%d mirrors are there): %w", what, count, ctx.Err())
		}
	}
}

// count waits for a number of mirrors, and returns the time of the last event.
func (t *tracker) count(ctx context.Context, want int) (time.Time, error) {
	return t.await(ctx, fmt.Sprintf("%d mirrors", want), func() (time.Time, bool) { return t.last, len(t.seen) == want })
}

// appeared waits for a mirror, and for its status unless that is empty.
func (t *tracker) appeared(ctx context.Context, identity, status string) (time.Time, error) {
	return t.await(ctx, identity+" "+status, func() (time.Time, bool) {
		s, ok := t.seen[identity]
		return s.since, ok && (status == "" || s.status == status)
	})
}

// vanished waits until a mirror has been removed.
func (t *tracker) vanished(ctx context.Context, identity string) (time.Time, error) {
	return t.await(ctx, "no "+identity, func() (time.Time, bool) {
		_, there := t.seen[identity]
		at, was := t.gone[identity]
		return at, was && !there
	})
}

// exact waits until the mirrors equal the objects of the engine.
func (t *tracker) exact(ctx context.Context, want map[string]string) (time.Time, error) {
	at, err := t.await(ctx, "the mirrors to be exact", func() (time.Time, bool) {
		return t.last, len(t.seen) == len(want) && t.matches(want)
	})
	if err != nil {
		return at, fmt.Errorf("%w: %s", err, t.difference(want))
	}
	return at, nil
}

func (t *tracker) matches(want map[string]string) bool {
	for identity, status := range want {
		if s, ok := t.seen[identity]; !ok || s.status != status {
			return false
		}
	}
	return true
}

// difference describes the first difference.
func (t *tracker) difference(want map[string]string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, identity := range slices.Sorted(maps.Keys(want)) {
		if s, ok := t.seen[identity]; !ok || s.status != want[identity] {
			return fmt.Sprintf("%s is %q, mirrored: %v as %q", identity, want[identity], ok, s.status)
		}
	}
	for identity := range t.seen {
		if _, ok := want[identity]; !ok {
			return identity + " is not in the engine"
		}
	}
	return "no difference"
}
