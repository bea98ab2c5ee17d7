package supervisor

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

// server is a running control plane.
type server interface {
	API() (api, error)
	Done() <-chan struct{}
	Err() error
	Stop(ctx context.Context) error
}

// serveFunc starts a control plane and returns when it serves.
type serveFunc func(ctx context.Context) (server, error)

// connection tells the root how to reach the API server.
type connection struct{ api api }

// controlPlane is the actor that holds the embedded API server. When the server
// ends by itself, the actor fails.
type controlPlane struct {
	serve  serveFunc
	logger *slog.Logger
	report func(string)
	tasks  *task.Runner
	server server
	// started gets the server as soon as it serves: the actor may end before it
	// has heard of it.
	started chan server
}

// Messages of the actor to itself.
type (
	served struct {
		server server
		err    error
	}
	serverEnded struct{ err error }
)

func newControlPlane(serve serveFunc, logger *slog.Logger, report func(string)) actor.Actor {
	return &controlPlane{serve: serve, logger: logger, report: report}
}

// Receive implements actor.Actor.
func (p *controlPlane) Receive(c actor.Context) {
	switch msg := c.Message().(type) {
	case *actor.Started:
		p.tasks = task.NewRunner(c)
		p.report("starting")
		started := make(chan server, 1)
		p.started = started
		p.tasks.Go(serveTimeout, func(ctx context.Context) any {
			defer close(started)
			s, err := p.serve(ctx)
			if err == nil {
				started <- s
			}
			return served{server: s, err: err}
		})
	case *actor.Stopping, *actor.Restarting:
		p.tasks.Stop()
		p.close()
	case *actor.Stopped:
	case task.Done:
		if value, ok := p.tasks.Take(msg); ok {
			p.receiveOwn(c, value)
		}
	default:
		p.logger.Error("control plane got a message it does not know", "message", msg)
	}
}

func (p *controlPlane) receiveOwn(c actor.Context, value any) {
	switch v := value.(type) {
	case served:
		if v.err != nil {
			panic(v.err)
		}
		p.server = v.server
		reached, err := v.server.API()
		if err != nil {
			panic(err)
		}
		p.report("serving")
		p.tasks.Loop(func(ctx context.Context, _ func(any)) any { return watchServer(ctx, v.server) })
		c.Send(c.Parent(), connection{api: reached})
	case serverEnded:
		panic(v.err)
	}
}

func watchServer(ctx context.Context, s server) any {
	select {
	case <-ctx.Done():
		return nil
	case <-s.Done():
		err := s.Err()
		if err == nil {
			err = errors.New("ended without being asked to")
		}
		return serverEnded{err: fmt.Errorf("API server: %w", err)}
	}
}

// close waits for the server to end. It blocks the mailbox on purpose: the next
// server may only start when this one has let go of the datastore. A server that
// is still starting was told to give up, and is waited for.
func (p *controlPlane) close() {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	if p.server == nil && p.started != nil {
		select {
		case p.server = <-p.started:
		case <-ctx.Done():
			p.logger.Error("the control plane does not give up its start")
			go p.closeLate(p.started)
		}
	}
	if p.server != nil {
		p.stop(ctx, p.server)
		p.server = nil
	}
}

// closeLate ends a server that nobody waits for any more: it would hold the
// datastore and the port.
func (p *controlPlane) closeLate(started <-chan server) {
	if s, ok := <-started; ok {
		ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
		defer cancel()
		p.stop(ctx, s)
	}
}

func (p *controlPlane) stop(ctx context.Context, s server) {
	if err := s.Stop(ctx); err != nil {
		p.logger.Error("the control plane did not end cleanly", "err", err)
	}
}
