package vm

import (
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// world is a VM actor with fake drivers and virtual time, and its subscriber.
type world struct {
	t          *testing.T
	system     *actor.ActorSystem
	vm         *actor.PID
	subscriber *actor.PID
	native     *fakeDriver
	lima       *fakeDriver
	external   *fakeDriver
	// idler replaces lima in a test of an idle engine.
	idler Driver

	mu    sync.Mutex
	facts []messages.VMChanged
	// crash makes the actor panic at its next change of state.
	crash bool
	// reported are the states of Config.Report.
	reported []string
}

// inWorld runs a test in a bubble of virtual time.
func inWorld(t *testing.T, test func(w *world)) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, native: newFake(appv1.DriverNative), lima: newFake(appv1.DriverLima), external: newFake(appv1.DriverExternal)}
		w.system = actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger {
			return slog.New(slog.DiscardHandler)
		}))
		w.subscriber = w.system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
			if m, ok := ctx.Message().(messages.VMChanged); ok {
				w.mu.Lock()
				defer w.mu.Unlock()
				w.facts = append(w.facts, m)
			}
		}))
		w.spawn()
		test(w)
		w.stopActor()
		if err := w.system.Root.StopFuture(w.subscriber).Wait(); err != nil {
			t.Error(err)
		}
		w.system.Shutdown()
		synctest.Wait()
	})
}

func (w *world) spawn() {
	lima := Driver(w.lima)
	if w.idler != nil {
		lima = w.idler
	}
	w.vm = w.system.Root.Spawn(actor.PropsFromProducer(Producer(Config{
		Drivers: []Driver{w.native, lima, w.external},
		Report: func(state string) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.reported = append(w.reported, state)
			if w.crash {
				w.crash = false
				panic("a bug")
			}
		},
	})))
}

func (w *world) stopActor() {
	w.t.Helper()
	if err := w.system.Root.StopFuture(w.vm).Wait(); err != nil {
		w.t.Errorf("the actor does not stop: %v", err)
	}
}

func (w *world) ensure(generation int64, running bool, spec messages.VMSpec) {
	w.system.Root.RequestWithCustomSender(w.vm, messages.EnsureVM{Generation: generation, Running: running, Spec: spec}, w.subscriber)
	synctest.Wait()
}

// sleep lets virtual time pass.
func (w *world) sleep(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// last returns the last VMChanged.
func (w *world) last() messages.VMChanged {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.facts) == 0 {
		w.t.Fatal("no VMChanged was sent")
	}
	return w.facts[len(w.facts)-1]
}

// states returns the states that were sent since the last call, without repeats.
func (w *world) states() []messages.VMState {
	w.mu.Lock()
	defer w.mu.Unlock()
	var states []messages.VMState
	for _, m := range w.facts {
		states = append(states, m.State)
	}
	w.facts = nil
	return slices.Compact(states)
}

func (w *world) wantStates(want ...messages.VMState) {
	w.t.Helper()
	if got := w.states(); !slices.Equal(got, want) {
		w.t.Errorf("states = %v, want %v", got, want)
	}
}

func (w *world) wantCalls(want ...string) {
	w.t.Helper()
	if got := w.native.history(); !slices.Equal(got, want) {
		w.t.Errorf("calls = %q, want %q", got, want)
	}
}
