package controlplane

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/rancher-sandbox/rancher-desktop-daemon/actors/task"
)

const (
	serveTimeout = 60 * time.Second
	closeTimeout = 10 * time.Second
)

// Server is a running API server.
type Server interface {
	// Done is closed when the server has ended.
	Done() <-chan struct{}
	// Err returns why the server ended by itself.
	Err() error
	// Stop ends the server and returns when it has released the datastore.
	Stop(ctx context.Context) error
}

// Config has the parts that the control plane actor is created from.
type Config[S Server] struct {
	// Serve starts a server and returns when it serves.
	Serve func(ctx context.Context) (S, error)
	// Serving is called with each server when it serves. An error fails the actor.
	Serving func(S) error
	Logger  *slog.Logger
	// Report shows the actor's state in the live picture of the tree.
	Report func(state string)
}

// controlPlane is the actor. It fails when its server ends by itself.
type controlPlane[S Server] struct {
	Config[S]
	tasks *task.Runner
	// server is nil before it serves.
	server Server
	// started receives the server as soon as it serves. The actor can end before the
	// result of the task arrives.
	started chan Server
}

// toSelf is a message of the actor to itself: the result of a task. The linter does not
// check switches over a generic type.
type toSelf[S Server] interface{ toSelf(S) }

type (
	served[S Server] struct {
		server S
		err    error
	}
	serverEnded[S Server] struct{ err error }
)

func (served[S]) toSelf(S)      {}
func (serverEnded[S]) toSelf(S) {}

// New returns a control plane actor.
func New[S Server](cfg Config[S]) actor.Actor { return &controlPlane[S]{Config: cfg} }

// Receive implements actor.Actor.
func (p *controlPlane[S]) Receive(c actor.Context) {
	switch msg := c.Message().(type) {
	case *actor.Started:
		p.tasks = task.NewRunner(c)
		p.Report("starting")
		p.start()
	case *actor.Stopping, *actor.Restarting:
		p.tasks.Stop()
		p.close()
	case *actor.Stopped:
	case task.Done:
		if value, ok := p.tasks.Take(msg); ok {
			p.receiveOwn(value.(toSelf[S]))
		}
	default:
		p.Logger.Error("unexpected message for the control plane", "message", msg)
	}
}

func (p *controlPlane[S]) start() {
	started := make(chan Server, 1)
	p.started = started
	p.tasks.Go(serveTimeout, func(ctx context.Context) any {
		defer close(started)
		s, err := p.Serve(ctx)
		if err == nil {
			started <- s
		}
		return served[S]{server: s, err: err}
	})
}

func (p *controlPlane[S]) receiveOwn(msg toSelf[S]) {
	switch msg := msg.(type) {
	case served[S]:
		if msg.err != nil {
			panic(msg.err)
		}
		p.server = msg.server
		if err := p.Serving(msg.server); err != nil {
			panic(err)
		}
		p.Report("serving")
		p.tasks.Loop(func(ctx context.Context, _ func(any)) any { return watch(ctx, msg.server) })
	case serverEnded[S]:
		panic(msg.err)
	default:
		p.Logger.Error("unexpected message of the control plane to itself", "message", msg)
	}
}

// watch waits for the end of a server.
func watch[S Server](ctx context.Context, s S) any {
	select {
	case <-ctx.Done():
		return nil
	case <-s.Done():
		err := s.Err()
		if err == nil {
			err = errors.New("ended unexpectedly")
		}
		return serverEnded[S]{err: fmt.Errorf("API server: %w", err)}
	}
}

// close waits for the server to end. It blocks the mailbox on purpose: the next
// server can start only when this one has released the datastore. A start in progress
// was cancelled, and close waits for its result.
func (p *controlPlane[S]) close() {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	if p.server == nil && p.started != nil {
		select {
		case p.server = <-p.started:
		case <-ctx.Done():
			p.Logger.Error("the start of the control plane does not end in time", "timeout", closeTimeout)
			go p.closeLate(p.started)
		}
	}
	if p.server != nil {
		p.stop(ctx, p.server)
		p.server = nil
	}
}

// closeLate stops a server that serves after its actor has ended, and would hold the
// datastore and the port.
func (p *controlPlane[S]) closeLate(started <-chan Server) {
	if s, ok := <-started; ok {
		ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
		defer cancel()
		p.stop(ctx, s)
	}
}

func (p *controlPlane[S]) stop(ctx context.Context, s Server) {
	if err := s.Stop(ctx); err != nil {
		p.Logger.Error("stop the control plane", "err", err)
	}
}
