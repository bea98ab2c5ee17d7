package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// quietEngine has two volumes and one container, which do not change. It refuses
// connections unless it is up.
type quietEngine struct {
	engine.Engine
	up     *atomic.Bool
	broken chan error
}

func (q quietEngine) Watch(ctx context.Context, _ []containersv1.Mirror, sink func(engine.Event)) error {
	if !q.up.Load() {
		return errors.New("connection refused")
	}
	sink(engine.Connected{Version: "1"})
	for {
		asOf := time.Now()
		sink(engine.Listed{Counts: map[containersv1.Kind]int{containersv1.KindContainer: 1, containersv1.KindVolume: 2}})
		for _, m := range q.mirrors() {
			sink(engine.Object{Mirror: m, AsOf: asOf})
		}
		sink(engine.Synced{AsOf: asOf})
		select {
		case err := <-q.broken:
			return err
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(5 * time.Minute):
		}
	}
}

func (quietEngine) mirrors() []containersv1.Mirror {
	c := &containersv1.Container{}
	c.Name = "c1"
	mirrors := []containersv1.Mirror{c}
	for _, name := range []string{"good", "bad"} {
		v := &containersv1.Volume{}
		v.Name, v.Status.Name = name, name
		mirrors = append(mirrors, v)
	}
	return mirrors
}

func (quietEngine) Close() error { return nil }

// world is an engine supervisor with an owner, on the clock of a synctest bubble.
type world struct {
	system    *actor.ActorSystem
	pid       *actor.PID
	owner     *actor.PID
	mu        sync.Mutex // guards received
	received  []messages.EngineChanged
	engine    quietEngine
	resources resources
	dial      func(string) (engine.Engine, error)
	// ensureNamespace is called for the namespace of the mirrors.
	ensureNamespace func() error
	log             strings.Builder
	panicking       atomic.Bool  // the mirror "bad", at each ObjectSeen
	good, bad       atomic.Int32 // how often these mirrors were created
	gone            atomic.Int32 // how many objects of mirrors were reported to be gone
	marked          atomic.Value // the mirror that was last marked as failed, and why
	retried         sync.Map     // the names of mirrors that retry what was refused
	handled         atomic.Int32 // messages to the supervisor
}

// restarting restarts a failed child after a second, and gives up at the third
// failure.
type restarting struct{ failures map[string]int }

func (r restarting) HandleFailure(system *actor.ActorSystem, sup actor.Supervisor, child *actor.PID,
	_ *actor.RestartStatistics, reason, _ any,
) {
	parent := sup.(actor.Context).Self()
	name := strings.TrimPrefix(child.Id, parent.Id+"/")
	r.failures[name]++
	f := messages.ChildFailed{Name: name, Err: fmt.Errorf("%v", reason), RetryIn: time.Second}
	f.GaveUp = name != sessionName && r.failures[name]%3 == 0
	system.Root.Send(parent, f)
	if f.GaveUp {
		sup.StopChildren(child)
		return
	}
	time.AfterFunc(f.RetryIn, func() { sup.RestartChildren(child) })
}

func newWorld(t *testing.T) *world {
	w := newUnsyncedWorld(t)
	w.resources.sync()
	return w
}

// newUnsyncedWorld returns a world whose supervisor waits for the first list of mirrors.
func newUnsyncedWorld(t *testing.T) *world {
	w := &world{}
	w.start(t)
	return w
}

// start spawns the supervisor and its owner.
func (w *world) start(t *testing.T) {
	w.engine = quietEngine{up: &atomic.Bool{}, broken: make(chan error, 1)}
	w.engine.up.Store(true)
	w.dial = func(string) (engine.Engine, error) { return w.engine, nil }
	w.ensureNamespace = func() error { return nil }
	w.system = actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger {
		return slog.New(slog.DiscardHandler)
	}))
	cfg := Config{
		EnsureNamespace: func(context.Context, string) error { return w.ensureNamespace() },
		Subscribe:       w.resources.Subscribe,
		Dial:            func(endpoint string) (engine.Engine, error) { return w.dial(endpoint) },
		NewMirror:       w.newMirror,
		MarkFailed: func(_ context.Context, _ containersv1.Kind, _, name string, cause error) error {
			w.marked.Store(name + ": " + cause.Error())
			return nil
		},
		Props: func(_ string, produce func(func(string)) actor.Actor) *actor.Props {
			return actor.PropsFromProducer(func() actor.Actor { return produce(func(string) {}) })
		},
		Logger: slog.New(slog.NewTextHandler(&w.log, nil)), Report: func(string) {}, Settings: DefaultSettings(),
	}
	w.owner = w.system.Root.Spawn(actor.PropsFromFunc(func(c actor.Context) {
		if m, ok := c.Message().(messages.EngineChanged); ok {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.received = append(w.received, m)
		}
	}))
	w.pid = w.system.Root.Spawn(actor.PropsFromProducer(func() actor.Actor { return New(cfg) },
		actor.WithSupervisor(restarting{map[string]int{}}), actor.WithReceiverMiddleware(w.counting)))
	synctest.Wait()
	t.Cleanup(func() {
		_ = w.system.Root.StopFuture(w.pid).Wait()
		_ = w.system.Root.StopFuture(w.owner).Wait()
		w.system.Shutdown()
	})
}

func (w *world) counting(next actor.ReceiverFunc) actor.ReceiverFunc {
	return func(c actor.ReceiverContext, envelope *actor.MessageEnvelope) {
		w.handled.Add(1)
		next(c, envelope)
	}
}

// newMirror returns a mirror that settles at once, or panics.
func (w *world) newMirror(spec MirrorSpec) actor.Actor {
	switch spec.Name {
	case "good":
		w.good.Add(1)
	case "bad":
		w.bad.Add(1)
	}
	return actor.ReceiveFunc(func(c actor.Context) {
		switch m := c.Message().(type) {
		case messages.ObjectSeen:
			if spec.Name == "bad" && w.panicking.Load() {
				panic("cannot mirror " + spec.Name)
			}
			c.Send(c.Parent(), messages.MirrorSettled{Kind: spec.Kind, Name: spec.Name, AsOf: m.AsOf})
		case messages.ObjectGone:
			w.gone.Add(1)
		case messages.RetryNow:
			w.retried.Store(spec.Name, true)
		case messages.EngineGone:
			c.Send(c.Parent(), messages.MirrorFinished{Kind: spec.Kind, Name: spec.Name})
		}
	})
}

func (w *world) send(msg any) { w.system.Root.RequestWithCustomSender(w.pid, msg, w.owner) }

func (w *world) last(t *testing.T) messages.EngineChanged {
	t.Helper()
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.received) == 0 {
		t.Fatal("the owner received nothing")
	}
	return w.received[len(w.received)-1]
}

func connectTo(seq uint64) messages.ConnectEngine {
	return messages.ConnectEngine{Seq: seq, Endpoint: "unix:///sock", Namespace: "ns"}
}

func TestConnectAndDisconnect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.send(connectTo(1))
		if got := w.last(t); got.State != messages.EngineReady || got.Seq != 1 {
			t.Fatalf("got %+v, want Ready", got)
		}
		w.send(messages.DisconnectEngine{Seq: 2})
		if got := w.last(t); got.State != messages.EngineIdle || got.Seq != 2 {
			t.Fatalf("got %+v, want Idle", got)
		}
	})
}

func TestFailingMirrorDoesNotAffectOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.panicking.Store(true)
		w.send(connectTo(1))
		time.Sleep(10 * time.Second)
		got := w.last(t)
		if got.State != messages.EngineReady || !strings.Contains(got.Message, "cannot mirror bad") {
			t.Fatalf("got %+v, want Ready with the reason of the failing mirror", got)
		}
		w.panicking.Store(false)
		spawns := w.bad.Load()
		time.Sleep(time.Minute)
		synctest.Wait()
		if w.bad.Load() == spawns {
			t.Error("a mirror that was given up never restarts")
		}
		if w.good.Load() != 1 {
			t.Errorf("the good mirror was created %d times, want once", w.good.Load())
		}
	})
}

func TestMirrorsKeptOnlyWithinGracePeriod(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.send(connectTo(1))
		w.last(t)

		w.engine.broken <- errors.New("cut")
		if got := w.last(t); got.State != messages.EngineDisconnected || got.Message == "" {
			t.Fatalf("got %+v, want Disconnected with a reason", got)
		}
		time.Sleep(5 * time.Second)
		if got := w.last(t); got.State != messages.EngineReady {
			t.Fatalf("got %+v, want Ready again", got)
		}
		if w.good.Load() != 1 {
			t.Errorf("within the grace period the mirror was created %d times", w.good.Load())
		}

		w.engine.up.Store(false)
		w.engine.broken <- errors.New("cut for good")
		time.Sleep(DefaultSettings().Grace + time.Second)
		if got := w.last(t); got.State != messages.EngineDisconnected {
			t.Fatalf("got %+v, want Disconnected", got)
		}
		w.engine.up.Store(true)
		time.Sleep(5 * time.Second)
		if got := w.last(t); got.State != messages.EngineReady {
			t.Fatalf("got %+v, want Ready again", got)
		}
		if w.good.Load() != 2 {
			t.Errorf("the mirror was created %d times, want twice: it was released after the grace period", w.good.Load())
		}
	})
}

func TestLateResourceIsReleased(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.send(messages.DisconnectEngine{Seq: 1})
		w.last(t)
		v := &containersv1.Volume{}
		v.Name, v.UID = "left", "u1"
		w.resources.change(v)
		if got := w.last(t); got.State != messages.EngineCleaning {
			t.Fatalf("got %+v, want Cleaning", got)
		}
		w.resources.remove(v)
		w.send(messages.MirrorFinished{Kind: containersv1.KindVolume, Name: "left"})
		if got := w.last(t); got.State != messages.EngineIdle {
			t.Errorf("got %+v, want Idle", got)
		}
	})
}

func TestLastCommandCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		for seq := uint64(1); seq < 10; seq += 2 {
			w.send(connectTo(seq))
			w.send(messages.DisconnectEngine{Seq: seq + 1})
		}
		w.send(connectTo(11))
		if got := w.last(t); got.State != messages.EngineReady || got.Seq != 11 {
			t.Errorf("got %+v, want Ready", got)
		}
	})
}

func TestLateFailureIsIgnored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.send(connectTo(1))
		w.last(t)
		w.send(messages.ChildFailed{Name: "volume/good", Err: errors.New("late"), GaveUp: true})
		w.send(messages.DisconnectEngine{Seq: 2})
		if got := w.last(t); got.State != messages.EngineIdle {
			t.Errorf("got %+v, want Idle", got)
		}
	})
}

func TestStaleReadingsAreIgnored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.send(connectTo(1))
		w.last(t)
		old := time.Now().Add(-time.Hour)
		w.send(messages.SessionEvent{Event: engine.Gone{Key: engine.Key{Kind: containersv1.KindVolume, ID: "good"}, AsOf: old}})
		w.send(messages.SessionEvent{Event: engine.Synced{AsOf: old}})
		w.last(t)
		w.send(connectTo(2))
		if got := w.last(t); got.State != messages.EngineReady || got.Seq != 2 {
			t.Errorf("got %+v, want Ready", got)
		}
		if w.good.Load() != 1 {
			t.Errorf("a stale reading created the mirror %d times", w.good.Load())
		}
	})
}

// I5: the supervisor is idle only when the last mirror is gone, however long another
// program holds it.
func TestIdleWaitsForHeldMirror(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, held := newHeldWorld(t)
		time.Sleep(time.Hour)
		if got := w.last(t); got.State != messages.EngineCleaning || got.Seq != 2 {
			t.Fatalf("got %+v while a mirror is left, want Cleaning", got)
		}
		w.resources.remove(held)
		w.send(messages.MirrorFinished{Kind: containersv1.KindVolume, Name: "good"})
		if got := w.last(t); got.State != messages.EngineIdle {
			t.Errorf("got %+v after the last mirror has gone, want Idle", got)
		}
	})
}

func TestOpeningRetriedWithBackoff(t *testing.T) {
	for name, fail := range map[string]func(*world, func() error){
		"namespace": func(w *world, attempt func() error) { w.ensureNamespace = attempt },
		"endpoint": func(w *world, attempt func() error) {
			w.dial = func(string) (engine.Engine, error) { return nil, attempt() }
		},
	} {
		t.Run(name, func(t *testing.T) { synctest.Test(t, func(t *testing.T) { openingRetried(t, fail) }) })
	}
}

func openingRetried(t *testing.T, fail func(*world, func() error)) {
	w := newWorld(t)
	var attempts atomic.Int32
	fail(w, func() error {
		attempts.Add(1)
		return errors.New("no quota")
	})
	w.send(connectTo(1))
	time.Sleep(10 * time.Minute)
	if got := w.last(t); got.State != messages.EngineConnecting || !strings.HasSuffix(got.Message, "no quota") {
		t.Errorf("got %+v, want the reason", got)
	}
	if n := attempts.Load(); n < 60 || n > 125 {
		t.Errorf("%d attempts in 10 minutes, want pauses that grow to 10 s", n)
	}
	if n := strings.Count(w.log.String(), "no quota"); n != 1 {
		t.Errorf("%d lines of the log have the reason, want one", n)
	}
}
