package supervisor

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"golang.org/x/sync/errgroup"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rancher-sandbox/rancher-desktop-daemon/actors/task"
	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/kube"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// syncTimeout bounds the first lists of the informers, and a replay of what they have.
const syncTimeout = 30 * time.Second

// bridge is the actor that turns watch events into messages. It decides
// nothing. The app actor hears of the App only when the engine supervisor has
// heard of every mirror, so that no engine is connected before that.
type bridge struct {
	api         api
	app, engine *actor.PID
	logger      *slog.Logger
	report      func(string)
	tasks       *task.Runner
	informers   follower
	// told is whether the engine supervisor has heard of every mirror, since the
	// telling that began at since.
	told  bool
	since time.Time
	// asked is since when somebody has to be told of everything. A telling that
	// began before waits for the first lists, or for another one, to be through.
	asked time.Time
	// latest is what to tell the app actor; nil for no App.
	latest *appv1.App
}

// Messages of the bridge to itself.
type (
	informersMade struct {
		informers follower
		at        time.Time
	}
	everythingTold struct{}
	informersEnded struct{ err error }
	appSeen        struct{ app *appv1.App }
)

func newBridge(api api, app, engine *actor.PID, logger *slog.Logger, report func(string)) actor.Actor {
	return &bridge{api: api, app: app, engine: engine, logger: logger, report: report}
}

// Receive implements actor.Actor.
func (b *bridge) Receive(c actor.Context) {
	switch msg := c.Message().(type) {
	case *actor.Started:
		b.tasks = task.NewRunner(c)
		b.report("listing")
		root, engine := c.ActorSystem().Root, b.engine
		b.tasks.Loop(func(ctx context.Context, send func(any)) any {
			h := &handler{send: send, toEngine: func(m any) { root.Send(engine, m) }}
			return informersEnded{err: b.run(ctx, h, send)}
		})
	case *actor.Stopping, *actor.Restarting:
		b.tasks.Stop()
	case *actor.Stopped:
	case messages.Replay:
		if msg.Since.After(b.asked) {
			b.asked = msg.Since
		}
		if b.told && b.asked.After(b.since) { // to listen anew before would keep the lists from ever being through
			b.replay()
		}
	case task.Done:
		if value, ok := b.tasks.Take(msg); ok {
			b.receiveOwn(c, value)
		}
	default:
		b.logger.Error("kube bridge got a message it does not know", "message", msg)
	}
}

func (b *bridge) receiveOwn(c actor.Context, value any) {
	switch v := value.(type) {
	case informersMade:
		b.informers, b.since = v.informers, v.at
	case everythingTold:
		b.told = true
		b.report("watching")
		if b.asked.After(b.since) {
			b.replay()
			return
		}
		c.Send(b.engine, messages.MirrorsTold{Since: b.since})
		b.tellApp(c)
	case appSeen:
		b.latest = v.app
		if b.told {
			b.tellApp(c)
		}
	case informersEnded:
		panic(v.err)
	}
}

func (b *bridge) tellApp(c actor.Context) {
	if b.latest == nil {
		c.Send(b.app, messages.AppRemoved{})
		return
	}
	c.Send(b.app, messages.AppChanged{App: b.latest})
}

// replay tells a restarted actor everything again, the mirrors first. Those who
// know it already find nothing new in it.
func (b *bridge) replay() {
	b.told, b.since = false, time.Now()
	b.report("telling all again")
	informers := b.informers
	b.tasks.Go(syncTimeout, func(ctx context.Context) any {
		if err := informers.Replay(ctx); err != nil {
			return informersEnded{err: err}
		}
		return everythingTold{}
	})
}

// run makes the informers and keeps them running until ctx ends.
func (b *bridge) run(ctx context.Context, h kube.Handler, send func(any)) error {
	informers, err := b.api.Follow(ctx, h)
	if err != nil {
		return err
	}
	send(informersMade{informers: informers, at: time.Now()})
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
		send(everythingTold{})
		return nil
	})
	return g.Wait()
}

// handler turns what the informers tell into messages.
type handler struct {
	send     func(any)
	toEngine func(any)
}

// Changed implements kube.Handler.
func (h *handler) Changed(obj client.Object) {
	switch o := obj.(type) {
	case *appv1.App:
		h.send(appSeen{app: o})
	case containersv1.Mirror:
		h.toEngine(messages.MirrorChanged{Object: o})
	}
}

// Removed implements kube.Handler.
func (h *handler) Removed(obj client.Object) {
	switch o := obj.(type) {
	case *appv1.App:
		h.send(appSeen{})
	case containersv1.Mirror:
		h.toEngine(messages.MirrorRemoved{Kind: o.MirrorKind(), Name: o.GetName(), UID: o.GetUID()})
	}
}
