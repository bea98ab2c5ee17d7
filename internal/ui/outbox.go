package ui

import (
	"context"
	"errors"
	"sync"
	"time"
)

// errSlow ends a watch whose client does not read its events.
var errSlow = errors.New("the page did not read the events in time: list again")

// outbox is the queue of messages to one page. It has at most limit bytes, and one message
// more for each sender. Its methods may be called concurrently.
type outbox struct {
	limit int
	// patience is how long a sender waits for room.
	patience time.Duration

	mutex    sync.Mutex
	messages [][]byte
	size     int
	// room is closed when messages were taken.
	room chan struct{}
	// ready has room for one signal: there are messages.
	ready chan struct{}
}

func newOutbox(limit int, patience time.Duration) *outbox {
	return &outbox{limit: limit, patience: patience, room: make(chan struct{}), ready: make(chan struct{}, 1)}
}

// send adds a message. It waits for room, and returns errSlow if there is none in time, or
// the cause of the end of ctx.
func (o *outbox) send(ctx context.Context, message []byte) error {
	var late <-chan time.Time
	for {
		room, ok := o.add(message)
		if ok {
			return nil
		}
		if late == nil {
			timer := time.NewTimer(o.patience)
			defer timer.Stop()
			late = timer.C
		}
		select {
		case <-room:
		case <-late:
			return errSlow
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// add adds a message if the queue has room; else it returns what is closed when there is.
func (o *outbox) add(message []byte) (room <-chan struct{}, ok bool) {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	if o.size >= o.limit {
		return o.room, false
	}
	o.append(message)
	return nil, true
}

// force adds a message even if there is no room. It is for the end of a watch.
func (o *outbox) force(message []byte) {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	o.append(message)
}

func (o *outbox) append(message []byte) {
	o.messages = append(o.messages, message)
	o.size += len(message)
	select {
	case o.ready <- struct{}{}:
	default:
	}
}

// take waits for messages, and removes and returns all of them; nil when ctx ends.
func (o *outbox) take(ctx context.Context) [][]byte {
	for {
		select {
		case <-o.ready:
		case <-ctx.Done():
			return nil
		}
		if taken := o.empty(); len(taken) > 0 {
			return taken
		}
	}
}

// empty removes and returns all messages. There are none if they were added and taken after
// the signal of others.
func (o *outbox) empty() [][]byte {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	taken := o.messages
	o.messages, o.size = nil, 0
	close(o.room)
	o.room = make(chan struct{})
	return taken
}
