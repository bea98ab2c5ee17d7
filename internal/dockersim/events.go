package dockersim

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// replayLimit is how many events an engine remembers, as in dockerd.
const replayLimit = 256

// message is an event as the Docker Engine API sends it.
type message struct {
	Status   string `json:"status,omitempty"`
	ID       string `json:"id,omitempty"`
	From     string `json:"from,omitempty"`
	Type     string `json:"Type"`
	Action   string `json:"Action"`
	Actor    actor  `json:"Actor"`
	Scope    string `json:"scope"`
	Time     int64  `json:"time"`
	TimeNano int64  `json:"timeNano"`
}

type actor struct {
	ID         string            `json:"ID"`
	Attributes map[string]string `json:"Attributes"`
}

// broker remembers events and hands them to subscribers.
type broker struct {
	mu          sync.Mutex
	remembered  []message
	subscribers map[*subscriber]struct{}
	queueLimit  int
	rules       []*eventRule
	count       int
}

// eventRule says how often an event of a pattern is sent.
type eventRule struct {
	pattern string
	left    int
	copies  int
}

// subscriber is one event stream.
type subscriber struct {
	wanted func(message) bool
	queue  []message     // guarded by the broker's mu
	ready  chan struct{} // has room for one signal
	closed chan struct{} // closed by CloseStreams
}

func newBroker() *broker {
	return &broker{subscribers: make(map[*subscriber]struct{})}
}

// DropEvents loses the next events of a pattern: they are neither sent nor
// remembered. The pattern is type/action, such as container/die, where either
// part can be *.
func (e *Engine) DropEvents(pattern string, times int) { e.events.rule(pattern, times, 0) }

// DuplicateEvents sends the next events of a pattern twice.
func (e *Engine) DuplicateEvents(pattern string, times int) { e.events.rule(pattern, times, 2) }

// LimitEventQueue sets how many events wait for a slow subscriber; more are
// lost to it. 0 is no limit, dockerd's is 1024.
func (e *Engine) LimitEventQueue(limit int) {
	e.events.mu.Lock()
	defer e.events.mu.Unlock()
	e.events.queueLimit = limit
}

// CloseStreams ends all event streams; nothing else is touched.
func (e *Engine) CloseStreams() {
	b := e.events
	b.mu.Lock()
	defer b.mu.Unlock()
	for s := range b.subscribers {
		delete(b.subscribers, s)
		close(s.closed)
	}
}

// Streams is the number of open event streams.
func (e *Engine) Streams() int {
	e.events.mu.Lock()
	defer e.events.mu.Unlock()
	return len(e.events.subscribers)
}

// EventCount is how many events there have been, lost ones not counted.
func (e *Engine) EventCount() int {
	e.events.mu.Lock()
	defer e.events.mu.Unlock()
	return e.events.count
}

// Emit sends an event that no change of the model stands behind.
func (e *Engine) Emit(eventType, action, id string, attributes map[string]string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.emit(eventType, action, id, attributes)
}

// emit is called with the model's lock held, so that the order of events is
// that of the changes.
func (e *Engine) emit(eventType, action, id string, attributes map[string]string) {
	e.events.publish(e.now(), message{
		Type:   eventType,
		Action: action,
		Actor:  actor{ID: id, Attributes: attributes},
		Scope:  "local",
	})
}

func (b *broker) rule(pattern string, times, copies int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.rules = append(b.rules, &eventRule{pattern: pattern, left: times, copies: copies})
}

// copies is how often an event is sent.
func (b *broker) copies(m message) int {
	for i, rule := range b.rules {
		eventType, action, _ := strings.Cut(rule.pattern, "/")
		if (eventType != "*" && eventType != m.Type) || (action != "*" && action != m.Action) {
			continue
		}
		if rule.left--; rule.left <= 0 {
			b.rules = slices.Delete(b.rules, i, i+1)
		}
		return rule.copies
	}
	return 1
}

func (b *broker) publish(now time.Time, m message) {
	b.mu.Lock()
	defer b.mu.Unlock()
	m.Time, m.TimeNano = now.Unix(), now.UnixNano()
	if m.Type == "container" || m.Type == "image" {
		// The old form, which dockerd still sends beside the new one.
		m.Status, m.ID = m.Action, m.Actor.ID
		if m.Type == "container" {
			m.From = m.Actor.Attributes["image"]
		}
	}
	for range b.copies(m) {
		b.count++
		if len(b.remembered) == replayLimit {
			b.remembered = slices.Delete(b.remembered, 0, 1)
		}
		b.remembered = append(b.remembered, m)
		for s := range b.subscribers {
			if s.wanted(m) && (b.queueLimit == 0 || len(s.queue) < b.queueLimit) {
				s.queue = append(s.queue, m)
				s.wake()
			}
		}
	}
}

// subscribe returns a stream that begins with the remembered events of the
// span; with neither end given there are none, as in dockerd.
func (b *broker) subscribe(since, until time.Time, wanted func(message) bool) *subscriber {
	s := &subscriber{wanted: wanted, ready: make(chan struct{}, 1), closed: make(chan struct{})}
	b.mu.Lock()
	defer b.mu.Unlock()
	if !since.IsZero() || !until.IsZero() {
		for _, m := range b.remembered {
			tooOld := !since.IsZero() && m.TimeNano < since.UnixNano()
			tooNew := !until.IsZero() && m.TimeNano > until.UnixNano()
			if !tooOld && !tooNew && wanted(m) {
				s.queue = append(s.queue, m)
			}
		}
		s.wake()
	}
	b.subscribers[s] = struct{}{}
	return s
}

func (b *broker) unsubscribe(s *subscriber) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.subscribers, s)
}

// drain takes what waits for a subscriber.
func (b *broker) drain(s *subscriber) []message {
	b.mu.Lock()
	defer b.mu.Unlock()
	queue := s.queue
	s.queue = nil
	return queue
}

func (b *broker) forget() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.remembered = nil
}

func (s *subscriber) wake() {
	select {
	case s.ready <- struct{}{}:
	default:
	}
}

// with returns a copy of attributes with more of them.
func with(attributes map[string]string, keysAndValues ...string) map[string]string {
	out := maps.Clone(attributes)
	if out == nil {
		out = make(map[string]string)
	}
	for i := 0; i+1 < len(keysAndValues); i += 2 {
		out[keysAndValues[i]] = keysAndValues[i+1]
	}
	return out
}
