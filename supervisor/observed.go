package supervisor

import (
	"github.com/asynkron/protoactor-go/actor"

	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// observed wraps an actor. It records the end of the actor in the picture, and ensures
// that a stop succeeds.
type observed struct {
	actor.Actor
	picture  *Picture
	name     string
	stopping bool
}

// Receive implements actor.Actor. From Stopping on it records a panic and recovers: the
// framework would leave the actor half stopped, with children that keep running and a
// parent that waits for its end.
func (o *observed) Receive(c actor.Context) {
	switch c.Message().(type) {
	case *actor.Stopping:
		o.stopping = true
	case *actor.Stopped:
		defer o.picture.gone(o.name)
	}
	if o.stopping {
		defer o.recoverPanic()
	}
	o.Actor.Receive(c)
}

func (o *observed) recoverPanic() {
	if reason := recover(); reason != nil {
		o.picture.fail(o.name, messages.ChildFailed{Name: o.name, GaveUp: true, Err: asError(reason)})
	}
}

// finalMailbox makes a stop final. In the framework, a restart cancels the stop of an
// actor that waits for the end of its children.
type finalMailbox struct{ actor.Mailbox }

// RegisterHandlers implements actor.Mailbox.
func (m finalMailbox) RegisterHandlers(invoker actor.MessageInvoker, dispatcher actor.Dispatcher) {
	m.Mailbox.RegisterHandlers(&finalInvoker{MessageInvoker: invoker}, dispatcher)
}

// finalInvoker drops a restart that arrives after a stop.
type finalInvoker struct {
	actor.MessageInvoker
	stopped bool
}

// InvokeSystemMessage implements actor.MessageInvoker.
func (i *finalInvoker) InvokeSystemMessage(msg any) {
	switch msg.(type) {
	case *actor.Stop:
		i.stopped = true
	case *actor.Restart:
		if i.stopped {
			return
		}
	}
	i.MessageInvoker.InvokeSystemMessage(msg)
}
