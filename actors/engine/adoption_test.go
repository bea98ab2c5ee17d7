package engine

import (
	"context"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// withSupervisor runs a test with an engine supervisor that has received no command.
func withSupervisor(t *testing.T, newEngine func() engine.Engine, newMirror func(MirrorSpec) actor.Actor,
	test func(send func(any), resources *resources),
) {
	synctest.Test(t, func(t *testing.T) {
		resources := &resources{}
		e := newEngine() // in here, so that its channels follow the test's clock
		quiet := slog.New(slog.DiscardHandler)
		system := actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return quiet }))
		defer system.Shutdown()
		pid := system.Root.Spawn(actor.PropsFromProducer(func() actor.Actor {
			return New(Config{
				EnsureNamespace: func(context.Context, string) error { return nil },
				Subscribe:       resources.Subscribe,
				Dial:            func(string) (engine.Engine, error) { return e, nil },
				NewMirror:       newMirror,
				Props: func(_ string, produce func(func(string)) actor.Actor) *actor.Props {
					return actor.PropsFromProducer(func() actor.Actor { return produce(func(string) {}) })
				},
				Logger: quiet, Report: func(string) {}, Settings: DefaultSettings(),
			})
		}, actor.WithSupervisor(restarting{map[string]int{}})))
		defer func() { _ = system.Root.StopFuture(pid).Wait() }()
		synctest.Wait()
		resources.sync()
		test(func(msg any) { system.Root.Send(pid, msg) }, resources)
	})
}

func mirroredBefore() *containersv1.Container {
	c := &containersv1.Container{}
	c.Name, c.Namespace, c.UID, c.ResourceVersion = "c1", "ns", "u1", "5"
	return c
}

func reachable(answers bool) func() engine.Engine {
	return func() engine.Engine {
		q := quietEngine{up: &atomic.Bool{}, broken: make(chan error, 1)}
		q.up.Store(answers)
		return q
	}
}

// A mirror that was created to release its resource has no engine. When the engine is
// desired again meanwhile, a mirror with the engine replaces it.
func TestMirrorWithoutEngineIsReplaced(t *testing.T) {
	var withEngine, without atomic.Int32
	newMirror := func(spec MirrorSpec) actor.Actor {
		return actor.ReceiveFunc(func(c actor.Context) {
			if _, ok := c.Message().(messages.ObjectSeen); !ok || spec.Kind != containersv1.KindContainer {
				return
			}
			if spec.Engine == nil {
				without.Add(1)
			} else {
				withEngine.Add(1)
			}
		})
	}
	withSupervisor(t, reachable(true), newMirror, func(send func(any), resources *resources) {
		resources.change(mirroredBefore())
		send(messages.DisconnectEngine{Seq: 1})
		send(messages.ConnectEngine{Seq: 2, Endpoint: "unix:///sock", Namespace: "ns"})
		time.Sleep(time.Minute)
		synctest.Wait()
		// There is no API server: the test reports the removal of the resource, late.
		send(messages.MirrorFinished{Kind: containersv1.KindContainer, Name: "c1"})
		resources.remove(mirroredBefore())
		send(messages.MirrorFinished{Kind: containersv1.KindContainer, Name: "c1"})
		time.Sleep(time.Minute)
		synctest.Wait()
	})
	if without.Load() != 0 || withEngine.Load() == 0 {
		t.Errorf("%d readings went to a mirror without an engine, %d to one with it", without.Load(), withEngine.Load())
	}
}

// The mirrors of a former daemon are released after the grace period when no session
// connects.
func TestUnreachableEngineReleasesMirrors(t *testing.T) {
	var lost atomic.Int32
	newMirror := func(MirrorSpec) actor.Actor {
		return actor.ReceiveFunc(func(c actor.Context) {
			if _, ok := c.Message().(messages.EngineGone); ok {
				lost.Add(1)
			}
		})
	}
	withSupervisor(t, reachable(false), newMirror, func(send func(any), resources *resources) {
		resources.change(mirroredBefore())
		send(messages.ConnectEngine{Seq: 1, Endpoint: "unix:///sock", Namespace: "ns"})
		time.Sleep(DefaultSettings().Grace / 2)
		if lost.Load() != 0 {
			t.Error("a mirror was released within the grace period")
		}
		time.Sleep(DefaultSettings().Grace)
		if lost.Load() != 1 {
			t.Errorf("%d mirrors were released, want the one", lost.Load())
		}
	})
}

// A restarted mirror begins with what it had read itself, after a failed start.
func TestRestartedMirrorGetsItsOwnReading(t *testing.T) {
	const late = "read by the mirror"
	var last atomic.Value
	var crashed atomic.Bool
	newMirror := func(spec MirrorSpec) actor.Actor {
		return actor.ReceiveFunc(func(c actor.Context) {
			seen, ok := c.Message().(messages.ObjectSeen)
			if !ok || spec.Kind != containersv1.KindContainer {
				return
			}
			last.Store(seen.Object.(*containersv1.Container).Status.Error)
			if crashed.CompareAndSwap(false, true) {
				mine := mirroredBefore()
				mine.Status.Error = late
				c.Send(c.Parent(), messages.MirrorRead{Object: mine, AsOf: time.Now()})
				panic("a bug")
			}
		})
	}
	withSupervisor(t, reachable(true), newMirror, func(send func(any), _ *resources) {
		send(messages.ConnectEngine{Seq: 1, Endpoint: "unix:///sock", Namespace: "ns"})
		time.Sleep(5 * time.Second)
		if got := last.Load(); got != late {
			t.Errorf("after its restart the mirror received the error %q, want %q", got, late)
		}
	})
}

// Before the subscription has delivered every mirror, the supervisor cannot know
// that none is left.
func TestUnsyncedSupervisorIsNotIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newUnsyncedWorld(t)
		w.send(messages.DisconnectEngine{Seq: 1})
		if got := w.last(t); got.State != messages.EngineCleaning {
			t.Errorf("got %+v although a mirror may exist, want Cleaning", got)
		}
		w.resources.sync()
		if got := w.last(t); got.State != messages.EngineIdle {
			t.Errorf("got %+v, want Idle", got)
		}
	})
}

// A mirror that is delivered after the full sync would stay until the next one,
// if its object is gone.
func TestUnsyncedSupervisorOpensNoSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newUnsyncedWorld(t)
		dialed := 0
		w.dial = func(string) (engine.Engine, error) { dialed++; return w.engine, nil }
		w.send(connectTo(1))
		time.Sleep(time.Minute)
		if got := w.last(t); dialed != 0 || got.State != messages.EngineConnecting {
			t.Errorf("dialed %d times and got %+v before the sync", dialed, got)
		}
		w.resources.sync()
		if got := w.last(t); dialed != 1 || got.State != messages.EngineReady {
			t.Errorf("dialed %d times and got %+v, want Ready", dialed, got)
		}
	})
}

// A supervisor whose subscription fails is restarted, and reads every mirror by
// itself.
func TestRestartedSupervisorSubscribesAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{}
		w.resources.change(mirroredBefore())
		w.resources.sync()
		w.resources.failures = 1
		w.start(t)
		w.send(messages.DisconnectEngine{Seq: 1})
		if got := w.last(t); got.State != messages.EngineCleaning || len(w.resources.sinks) != 1 {
			t.Errorf("got %+v with %d subscriptions, want Cleaning: a mirror exists", got, len(w.resources.sinks))
		}
	})
}
