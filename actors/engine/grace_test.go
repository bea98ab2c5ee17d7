package engine

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine/docker"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// A timer that was left from the first break took the mirrors away half a second
// after the second one.
func TestASecondBreakHasAWholeTimeOfGrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.send(connectTo(1))
		w.last(t)
		grace := DefaultSettings().Grace

		w.engine.up.Store(false)
		w.engine.broken <- errors.New("cut")
		time.Sleep(3 * time.Second) // it fails a few times
		w.engine.up.Store(true)
		time.Sleep(grace - 3500*time.Millisecond)
		if got := w.last(t); got.State != messages.EngineReady {
			t.Fatalf("told %+v, want Ready again", got)
		}

		w.engine.up.Store(false)
		w.engine.broken <- errors.New("cut again, when the first time of grace is nearly over")
		time.Sleep(grace - 3*time.Second)
		w.engine.up.Store(true)
		time.Sleep(2 * time.Second)
		if got := w.last(t); got.State != messages.EngineReady {
			t.Fatalf("told %+v, want Ready again", got)
		}
		if n := w.good.Load(); n != 1 {
			t.Errorf("the mirror was made %d times: the second break had no grace of its own", n)
		}
	})
}

// An engine that came back within the time of grace was found only after it, when
// the session had failed so often that it was slowed down.
func TestTheNextSessionComesSoonWhileMirrorsWait(t *testing.T) {
	s := &supervisor{Config: Config{Settings: DefaultSettings()}}
	s.graceEnds = time.Now().Add(s.Grace)
	for range 5 {
		if pause := s.pause(); pause > time.Second {
			t.Errorf("the pause is %s while mirrors wait", pause)
		}
	}
	s.graceEnds = time.Now().Add(-time.Second)
	if pause := s.pause(); pause < s.Slow/2 {
		t.Errorf("the pause is %s with nothing that waits, want at least %s", pause, s.Slow/2)
	}
}

// closedEngine lets nobody connect before it is opened, and counts its lists.
type closedEngine struct {
	quietEngine
	opened chan struct{}
	lists  *atomic.Int32
}

func (e closedEngine) Connect(ctx context.Context) (docker.Info, error) {
	select {
	case <-e.opened:
		return e.quietEngine.Connect(ctx)
	case <-ctx.Done():
		return docker.Info{}, ctx.Err()
	}
}

func (e closedEngine) ListContainers(context.Context) ([]string, error) {
	e.lists.Add(1)
	return nil, nil
}

// An order to begin may be meant for the session before a restart. Whoever lists
// before the events are subscribed to misses what happens in between.
func TestNoSyncBeginsBeforeTheEventsAreSubscribedTo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := closedEngine{
			quietEngine: quietEngine{up: &atomic.Bool{}, broken: make(chan error)},
			opened:      make(chan struct{}), lists: &atomic.Int32{},
		}
		e.up.Store(true)
		system := actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger {
			return slog.New(slog.DiscardHandler)
		}))
		defer system.Shutdown()
		var connected atomic.Int32
		parent := system.Root.Spawn(actor.PropsFromFunc(func(c actor.Context) {
			switch c.Message().(type) {
			case *actor.Started:
				session := c.Spawn(actor.PropsFromProducer(func() actor.Actor {
					return newSession(sessionConfig{
						engine: e, logger: slog.New(slog.DiscardHandler), report: func(string) {}, settings: DefaultSettings(),
					})
				}))
				c.Send(session, messages.BeginSync{})
			case messages.SessionConnected:
				connected.Add(1)
				c.Send(c.Sender(), messages.BeginSync{})
			}
		}))
		time.Sleep(time.Second)
		synctest.Wait()
		if n := e.lists.Load(); n != 0 {
			t.Errorf("the engine was listed %d times before the events were subscribed to", n)
		}
		close(e.opened)
		synctest.Wait()
		if e.lists.Load() != 1 || connected.Load() != 1 {
			t.Errorf("listed %d times, connected %d times, want each once", e.lists.Load(), connected.Load())
		}
		_ = system.Root.StopFuture(parent).Wait()
	})
}
