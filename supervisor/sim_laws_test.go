package supervisor

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/rancher-sandbox/rancher-desktop-daemon/actors/engine"
	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	containerengine "github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/cluster"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// laws are what must hold at every moment of a run, however much goes wrong. The
// files sim_laws_*_test.go have one law each; the facts that they check are here.
type laws struct {
	world *world

	mu sync.Mutex
	// engine is what the engine supervisor last said, and since when.
	engine messages.EngineState
	since  time.Time
	// broke is when the connection of a supervisor that had one broke; zero once
	// it is ready again.
	broke time.Time
	// lost is the last moment at which the engine had been away for the whole time
	// of grace, cleaned the last one at which no engine was wanted.
	lost, cleaned time.Time
	// dialed is the machine whose engine the supervisor holds a client of.
	dialed *machine
	// synced is when the lists of the last first sync of a session were read;
	// connecting is set until it is complete.
	synced     time.Time
	connecting bool
	// restless is until when something is still being made up for.
	restless time.Time
	// serials are the versions of the engine's objects that were mirrored last.
	serials map[*machine]map[cluster.Key]int
	// forged are mirrors that a former rdd has written wrong.
	forged map[cluster.Key]bool
	// incarnations of the mirrors of containers, by ID, and what has become of the
	// requests.
	incarnations map[string]int
	requests     map[request]*outcome
	// free is since when nothing keeps an object that was deleted in the engine.
	free map[cluster.Key]time.Time
}

func newLaws(w *world) *laws {
	return &laws{
		world: w, serials: map[*machine]map[cluster.Key]int{}, forged: map[cluster.Key]bool{},
		incarnations: map[string]int{}, requests: map[request]*outcome{}, free: map[cluster.Key]time.Time{},
	}
}

func (l *laws) with(f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f()
}

// grace is the one of a daemon.
func grace() time.Duration { return engine.DefaultSettings().Grace }

// posted observes each message as it is put into a mailbox.
func (l *laws) posted(message any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch m := actor.UnwrapEnvelopeMessage(message).(type) {
	case messages.EngineChanged:
		l.moved(m.State)
		if m.State == messages.EngineConnecting && m.Failing && l.broke.IsZero() {
			l.broke = time.Now() // with the mirrors of a former daemon, perhaps
		}
	case messages.SessionEvent:
		switch ev := m.Event.(type) {
		case containerengine.Connected:
			l.connecting = true
		case containerengine.Synced:
			if l.connecting {
				l.synced, l.connecting = ev.AsOf, false
			}
		}
	case messages.ChildFailed:
		l.restlessFor(m.RetryIn + time.Second)
		if m.GaveUp {
			l.restlessFor(time.Minute)
		}
	}
}

// moved takes up a state of the engine supervisor; none is a new supervisor.
func (l *laws) moved(state messages.EngineState) {
	if state == l.engine {
		return
	}
	l.lost, l.cleaned = l.lastLost(), l.lastCleaned()
	switch state {
	case messages.EngineDisconnected:
		if l.broke.IsZero() {
			l.broke = time.Now()
		}
	case messages.EngineSyncing:
	default:
		l.broke = time.Time{}
	}
	l.engine, l.since = state, time.Now()
}

func (l *laws) lastLost() time.Time {
	if !l.broke.IsZero() && time.Since(l.broke) >= grace() {
		return time.Now()
	}
	return l.lost
}

func (l *laws) lastCleaned() time.Time {
	if l.engine == messages.EngineCleaning {
		return time.Now()
	}
	return l.cleaned
}

func (l *laws) restlessFor(d time.Duration) {
	if until := time.Now().Add(d); until.After(l.restless) {
		l.restless = until
	}
}

// shaken notes that for a while not all may be as it should be.
func (l *laws) shaken(d time.Duration) { l.with(func() { l.restlessFor(d) }) }

// booted is a new daemon, which knows nothing.
func (l *laws) booted() {
	l.with(func() {
		l.moved("")
		l.restlessFor(time.Second)
	})
}

// began is a new actor, or a new incarnation of one that has failed: it knows only
// what was written. The children of a failed root keep running until it is restarted.
func (l *laws) began(name string) {
	l.with(func() {
		if id, ok := strings.CutPrefix(name, rootName+"/"+engineName+"/container/"); ok {
			l.incarnations[id]++
		}
		if name == rootName+"/"+engineName {
			l.moved("")
		}
	})
}

// panicked checks an actor's panic. The session reports by one that its connection
// broke, and the owners of the API server that it ended; every other one must come
// from the simulation.
func (l *laws) panicked(name, reason string) {
	l.began(name)
	switch roleOf(name) {
	case sessionName, controlPlaneName, bridgeName, rootName:
	default:
		if !strings.Contains(reason, "simulated bug") {
			l.world.violate("%s has failed without a simulated bug: %s", name, reason)
		}
	}
}

// wrote observes each write of a daemon.
func (l *laws) wrote(write cluster.Write) {
	if write.Key.Kind == "App" {
		if app, ok := write.After.(*appv1.App); ok && write.Verb == "update status" {
			l.settled(write, app)
		}
		return
	}
	if write.Verb == "remove" {
		l.removed(write)
		return
	}
	if write.After != nil {
		l.forward(write)
	}
}

// violate says which write broke a law. The lock may be held.
func (l *laws) violate(write cluster.Write, format string, args ...any) {
	l.world.violate("%s of %s %.24s: %s", write.Verb, write.Key.Kind, write.Key.Name, fmt.Sprintf(format, args...))
}
