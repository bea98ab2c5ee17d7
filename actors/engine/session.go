package engine

import (
	"context"
	"errors"
	"log/slog"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/rancher-sandbox/rancher-desktop-daemon/actors/task"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

type sessionConfig struct {
	engine engine.Engine
	logger *slog.Logger
	report func(state string)
}

// session is the actor of one watch of the engine. It forwards what the watch reports
// to its parent. When the watch ends it fails, and its parent's strategy restarts it.
type session struct {
	sessionConfig
	tasks *task.Runner
	// watching is set once the watch runs.
	watching bool
}

// fromWatch is a message of the session's watch to the session.
//
//sumtype:decl
type fromWatch interface{ fromWatch() }

type (
	watchEvent struct{ event engine.Event }
	watchEnded struct{ err error }
)

func (watchEvent) fromWatch() {}
func (watchEnded) fromWatch() {}

func newSession(cfg sessionConfig) actor.Actor { return &session{sessionConfig: cfg} }

// Receive implements actor.Actor.
func (s *session) Receive(c actor.Context) {
	switch msg := c.Message().(type) {
	case *actor.Started:
		s.tasks = task.NewRunner(c)
		s.report("connecting")
		c.Request(c.Parent(), messages.SessionStarted{})
	case *actor.Stopping, *actor.Restarting:
		s.tasks.Stop()
	case *actor.Stopped:
	case messages.ToSession:
		s.receive(msg)
	case task.Done:
		if value, ok := s.tasks.Take(msg); ok {
			s.receiveOwn(c, value.(fromWatch))
		}
	default:
		s.logger.Error("unexpected message for the engine session", "message", msg)
	}
}

func (s *session) receive(msg messages.ToSession) {
	switch msg := msg.(type) {
	case messages.BeginWatch:
		s.watch(msg)
	}
}

func (s *session) watch(begin messages.BeginWatch) {
	if s.watching {
		return // the answer to the previous incarnation may arrive too
	}
	s.watching = true
	s.tasks.Loop(func(ctx context.Context, send func(any)) any {
		return watchEnded{s.engine.Watch(ctx, begin.Known, func(e engine.Event) { send(watchEvent{e}) })}
	})
}

func (s *session) receiveOwn(c actor.Context, msg fromWatch) {
	switch msg := msg.(type) {
	case watchEvent:
		s.forward(c, msg.event)
	case watchEnded:
		if msg.err == nil {
			msg.err = errors.New("the watch of the engine ended")
		}
		panic(msg.err)
	}
}

func (s *session) forward(c actor.Context, event engine.Event) {
	switch event.(type) {
	case engine.Connected, engine.Listed:
		s.report("syncing")
	case engine.Synced:
		s.report("watching")
	case engine.Object, engine.Gone:
	}
	c.Send(c.Parent(), messages.SessionEvent{Event: event})
}
