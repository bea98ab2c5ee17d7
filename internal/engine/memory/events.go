package memory

import (
	"io"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/moby/moby/api/types/events"
)

// replayLimit is how many events an engine remembers, as in dockerd.
const replayLimit = 256

// broker remembers events and hands them to subscriptions.
type broker struct {
	mu         sync.Mutex
	remembered []events.Message
	subscribed map[*Subscription]struct{}
	limit      int
	copies     func(events.Message) int
	// count is how many events were sent, and delivered how many subscribers got.
	count, delivered int
}

func newBroker() broker { return broker{subscribed: make(map[*Subscription]struct{})} }

// Subscription is one stream of events.
type Subscription struct {
	broker *broker
	wanted func(events.Message) bool
	queue  []events.Message // guarded by the broker's mu, as is ended
	ended  error
	ready  chan struct{} // has room for one signal
}

// Subscribe returns a stream of the events that are wanted; nil wants all. It begins
// with those that are remembered from since until until, as in dockerd with none of
// them when neither is given. The caller closes it.
func (e *Engine) Subscribe(since, until time.Time, wanted func(events.Message) bool) *Subscription {
	if wanted == nil {
		wanted = func(events.Message) bool { return true }
	}
	b := &e.broker
	s := &Subscription{broker: b, wanted: wanted, ready: make(chan struct{}, 1)}
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
	b.subscribed[s] = struct{}{}
	return s
}

// Ready signals that Take returns something.
func (s *Subscription) Ready() <-chan struct{} { return s.ready }

// Take returns the events that wait, and an error after the last one when the engine
// has ended the stream.
func (s *Subscription) Take() ([]events.Message, error) {
	s.broker.mu.Lock()
	defer s.broker.mu.Unlock()
	queue := s.queue
	s.queue = nil
	return queue, s.ended
}

// Close ends the subscription.
func (s *Subscription) Close() {
	s.broker.mu.Lock()
	defer s.broker.mu.Unlock()
	delete(s.broker.subscribed, s)
}

func (s *Subscription) wake() {
	select {
	case s.ready <- struct{}{}:
	default:
	}
}

// SetEventCopies sets a function that decides how many times an event is sent and
// remembered. Without it, each event is sent once.
func (e *Engine) SetEventCopies(copies func(events.Message) int) {
	e.broker.mu.Lock()
	defer e.broker.mu.Unlock()
	e.broker.copies = copies
}

// LimitEventQueue sets how many events wait for a slow subscriber, which does not
// get the others. 0 is no limit; dockerd's is 1024.
func (e *Engine) LimitEventQueue(limit int) {
	e.broker.mu.Lock()
	defer e.broker.mu.Unlock()
	e.broker.limit = limit
}

// CloseStreams ends all event streams, watches and streams of containers, and changes
// nothing else.
func (e *Engine) CloseStreams() {
	defer e.lock()()
	e.broker.end(io.ErrUnexpectedEOF)
	e.endFeeds(errEnded)
	e.endStreams()
}

// Streams returns the number of open event streams.
func (e *Engine) Streams() int {
	e.broker.mu.Lock()
	defer e.broker.mu.Unlock()
	return len(e.broker.subscribed)
}

// EventCount returns how many events were sent so far.
func (e *Engine) EventCount() int {
	e.broker.mu.Lock()
	defer e.broker.mu.Unlock()
	return e.broker.count
}

// DeliveredEvents returns how many events subscribers got so far, without remembered ones.
func (e *Engine) DeliveredEvents() int {
	e.broker.mu.Lock()
	defer e.broker.mu.Unlock()
	return e.broker.delivered
}

// Emit sends an event without a change of the model.
func (e *Engine) Emit(eventType, action, id string, attributes map[string]string) {
	defer e.lock()()
	e.emit(eventType, action, id, attributes)
}

// emit is called with the model locked, so that events have the order of changes.
func (e *Engine) emit(eventType, action, id string, attributes map[string]string) {
	now := e.now()
	e.broker.publish(events.Message{
		Type:   events.Type(eventType),
		Action: events.Action(action),
		Actor:  events.Actor{ID: id, Attributes: attributes},
		Scope:  "local",
		Time:   now.Unix(), TimeNano: now.UnixNano(),
	})
}

func (b *broker) publish(m events.Message) {
	b.mu.Lock()
	defer b.mu.Unlock()
	copies := 1
	if b.copies != nil {
		copies = b.copies(m)
	}
	for range copies {
		b.count++
		if len(b.remembered) == replayLimit {
			b.remembered = slices.Delete(b.remembered, 0, 1)
		}
		b.remembered = append(b.remembered, m)
		for s := range b.subscribed {
			if s.wanted(m) && (b.limit == 0 || len(s.queue) < b.limit) {
				b.delivered++
				s.queue = append(s.queue, m)
				s.wake()
			}
		}
	}
}

// end ends all streams with an error.
func (b *broker) end(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for s := range b.subscribed {
		s.ended = err
		s.wake()
		delete(b.subscribed, s)
	}
}

func (b *broker) forget() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.remembered = nil
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
