package supervisor

import (
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/rancher-sandbox/rancher-desktop-daemon/actors/app"
	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/cluster"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/fate"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// A new engine supervisor that was asked before it had heard of the mirrors said
// that none is left, and the App was settled without mirrors while they were there.
func TestANewEngineSupervisorHearsOfTheMirrorsFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fates := fate.New(1)
		c := cluster.New()
		kube := cluster.AppClient{Client: cluster.NewClient(c, fates, cluster.NewLink(fates), fate.NewProcess(),
			func() cluster.WatchRates { return cluster.WatchRates{} })}
		obj := &appv1.App{}
		obj.Name = appv1.AppName
		if err := kube.Create(t.Context(), obj); err != nil {
			t.Fatal(err)
		}
		system := actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger {
			return slog.New(slog.DiscardHandler)
		}))
		defer system.Shutdown()
		var asked atomic.Int32
		engine := system.Root.Spawn(actor.PropsFromFunc(func(c actor.Context) {
			if m, ok := c.Message().(messages.DisconnectEngine); ok {
				asked.Add(1)
				c.Respond(messages.EngineChanged{Seq: m.Seq, State: messages.EngineIdle})
			}
		}))
		vm := system.Root.Spawn(actor.PropsFromFunc(func(c actor.Context) {
			if m, ok := c.Message().(messages.EnsureVM); ok {
				c.Respond(messages.VMChanged{Generation: m.Generation, State: messages.VMStopped})
			}
		}))
		props := actor.PropsFromProducer(func() actor.Actor {
			return app.New(app.Config{Kube: kube, VM: vm, Engine: engine, Logger: slog.New(slog.DiscardHandler), Report: func(string) {}})
		})
		parent := system.Root.Spawn(actor.PropsFromFunc(func(c actor.Context) {
			switch m := c.Message().(type) {
			case *actor.Started:
				c.Spawn(props)
			case messages.AppChanged, messages.ChildFailed:
				c.Send(c.Children()[0], m)
			}
		}))
		said := func(message any, orders int32, settled bool) {
			t.Helper()
			system.Root.Send(parent, message)
			time.Sleep(time.Second)
			synctest.Wait()
			if asked.Load() != orders || isSettled(c.App()) != settled {
				t.Fatalf("after %T: %d orders, settled %t; want %d, %t", message, asked.Load(), isSettled(c.App()), orders, settled)
			}
		}
		said(messages.AppChanged{App: c.App()}, 1, true)
		said(messages.ChildFailed{Name: engineName, Err: errors.New("it failed")}, 1, false)
		said(messages.AppChanged{App: c.App()}, 2, true) // which the bridge says after the mirrors
		for _, p := range []*actor.PID{parent, vm, engine} {
			_ = system.Root.StopFuture(p).Wait()
		}
	})
}
