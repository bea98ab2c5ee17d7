package supervisor

import (
	"github.com/asynkron/protoactor-go/actor"

	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// observed is an actor whose end is noted in the picture, and comes.
type observed struct {
	actor.Actor
	picture  *Picture
	name     string
	stopping bool
}

// Receive implements actor.Actor. From Stopping on a panic is noted and goes no
// further: the framework would leave the actor half stopped, with children that
// nobody stops and a parent that waits for its end.
func (o *observed) Receive(c actor.Context) {
	switch c.Message().(type) {
	case *actor.Stopping:
		o.stopping = true
	case *actor.Stopped:
		defer o.picture.gone(o.name)
	}
	if o.stopping {
		defer o.survive()
	}
	o.Actor.Receive(c)
}

func (o *observed) survive() {
	if reason := recover(); reason != nil {
		o.picture.failed(o.name, messages.ChildFailed{Name: o.name, GaveUp: true, Err: asError(reason)})
	}
}

// finalMailbox makes a stop final: the framework lets a restart that arrives
// while an actor waits for the end of its children take the stop back.
type finalMailbox struct{ actor.Mailbox }

// RegisterHandlers implements actor.Mailbox.
func (m finalMailbox) RegisterHandlers(invoker actor.MessageInvoker, dispatcher actor.Dispatcher) {
	m.Mailbox.RegisterHandlers(&finalInvoker{MessageInvoker: invoker}, dispatcher)
}

// finalInvoker hands an actor its messages, one at a time.
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
