package bridge

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"golang.org/x/sync/errgroup"

	"github.com/rancher-sandbox/rancher-desktop-daemon/actors/task"
)

// syncTimeout bounds the first lists of the informers.
const syncTimeout = 30 * time.Second

// Informers is what the actor runs; see kube.Informers.
type Informers interface {
	Run(ctx context.Context) error
	WaitForSync(ctx context.Context) error
}

// Config has the parts that the bridge is created from.
type Config struct {
	Informers Informers
	Logger    *slog.Logger
	// Report shows the actor's state in the live picture of the tree.
	Report func(state string)
}

// bridge is the actor. It fails when the informers end or do not sync in time.
type bridge struct {
	Config
	tasks *task.Runner
}

// toSelf is a message of the bridge to itself: the result of its task.
//
//sumtype:decl
type toSelf interface{ toSelf() }

type (
	informersSynced struct{}
	informersEnded  struct{ err error }
)

func (informersSynced) toSelf() {}
func (informersEnded) toSelf()  {}

// New returns a bridge.
func New(cfg Config) actor.Actor { return &bridge{Config: cfg} }

// Receive implements actor.Actor.
func (b *bridge) Receive(c actor.Context) {
	switch msg := c.Message().(type) {
	case *actor.Started:
		b.tasks = task.NewRunner(c)
		b.Report("listing")
		b.tasks.Loop(func(ctx context.Context, send func(any)) any {
			return informersEnded{err: run(ctx, b.Informers, send)}
		})
	case *actor.Stopping, *actor.Restarting:
		b.tasks.Stop()
	case *actor.Stopped:
	case task.Done:
		if value, ok := b.tasks.Take(msg); ok {
			b.receiveOwn(value.(toSelf))
		}
	default:
		b.Logger.Error("unexpected message for the bridge", "message", msg)
	}
}

func (b *bridge) receiveOwn(msg toSelf) {
	switch msg := msg.(type) {
	case informersSynced:
		b.Report("watching")
	case informersEnded:
		panic(msg.err)
	}
}

// run runs the informers until they end, ctx ends, or they do not sync in time.
func run(ctx context.Context, informers Informers, send func(any)) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		if err := informers.Run(ctx); err != nil {
			return err
		}
		return errors.New("the informers have ended")
	})
	g.Go(func() error {
		waiting, cancel := context.WithTimeout(ctx, syncTimeout)
		defer cancel()
		if err := informers.WaitForSync(waiting); err != nil {
			return err
		}
		send(informersSynced{})
		return nil
	})
	return g.Wait()
}
