package laws

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/cluster"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/machine"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/schedule"
)

// EngineState is a state of the engine supervisor.
type EngineState string

// The states of the engine supervisor. A new one has none.
const (
	None         EngineState = ""
	Idle         EngineState = "Idle"
	Connecting   EngineState = "Connecting"
	Syncing      EngineState = "Syncing"
	Ready        EngineState = "Ready"
	Disconnected EngineState = "Disconnected"
	Cleaning     EngineState = "Cleaning"
)

// Recorder records a run. It is called from any goroutine, and with locks of the laws.
type Recorder interface {
	// Note adds an event to the trace.
	Note(who, what string)
	// Count counts an event.
	Count(what string)
	// Violate records that a law was broken.
	Violate(text string)
}

// Laws are the laws of one run, and the facts that they depend on. They are safe for
// concurrent use.
type Laws struct {
	recorder Recorder
	cluster  *cluster.Cluster
	// apps has the App. It is another server than cluster if that is a hub.
	apps *cluster.Cluster
	// hub has the facts of a hub; nil for the API server of the machine itself.
	hub      *hubFacts
	machines []*machine.Machine
	// grace is the grace period of the engine supervisor.
	grace time.Duration

	mu sync.Mutex
	// gentle is set when no call and no event is lost, late or slow.
	gentle bool
	// engine is the last state of the engine supervisor, and since when.
	engine EngineState
	since  time.Time
	// broke is when the connection of a supervisor that had one broke; zero once
	// it is ready again.
	broke time.Time
	// lost is the last moment at which the engine had been away for the whole grace
	// period, cleaned the last one at which no engine was wanted.
	lost, cleaned time.Time
	// dialed is the machine whose engine the supervisor has a client of.
	dialed *machine.Machine
	// synced is when the lists of the last first sync of a session were read;
	// connecting is set until it is complete.
	synced     time.Time
	connecting bool
	// restless is until when the daemon may still repair the effects of a fault.
	restless time.Time
	// ran is when the App last said that its engine runs.
	ran time.Time
	// disturbed is when the engine may have been lost the last time.
	disturbed time.Time
	// serials are the versions of the engine's objects that were mirrored last.
	serials map[*machine.Machine]map[cluster.Key]int
	// forged are mirrors with a status that another version of rdd wrote.
	forged map[cluster.Key]bool
	// incarnations of the mirrors of containers, by ID, and the outcomes of the
	// requests.
	incarnations map[string]int
	requests     map[request]*outcome
	// stops are the commands that have stopped a container, by its ID.
	stops map[string][]span
	// started counts the starts of containers by their action.
	started map[action]int
	// starts counts those of the containers of requests, by the UID of the request.
	starts map[types.UID]int
	// made has the request of each object that was created for one.
	made map[object]types.UID
	// free is since when nothing uses an object whose mirror is deleted.
	free    map[cluster.Key]time.Time
	deletes []deletion
}

// New returns the laws of a run, and observes each write of a daemon in the cluster.
// grace is the grace period of the engine supervisor.
func New(r Recorder, c *cluster.Cluster, machines []*machine.Machine, grace time.Duration) *Laws {
	l := &Laws{
		recorder: r, cluster: c, apps: c, machines: machines, grace: grace,
		serials: map[*machine.Machine]map[cluster.Key]int{}, forged: map[cluster.Key]bool{},
		incarnations: map[string]int{}, starts: map[types.UID]int{}, requests: map[request]*outcome{}, stops: map[string][]span{},
		started: map[action]int{}, made: map[object]types.UID{}, free: map[cluster.Key]time.Time{},
	}
	c.Witness(l.wrote)
	return l
}

func (l *Laws) with(f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f()
}

func (l *Laws) machine(name appv1.DriverName) *machine.Machine {
	for _, m := range l.machines {
		if m.Name == name {
			return m
		}
	}
	return nil
}

// SetGentle records that no call and no event is lost, late or slow in this run.
func (l *Laws) SetGentle() { l.with(func() { l.gentle = true }) }

// EngineChanged records a state of the engine supervisor. failing is set when its last
// attempt to connect failed.
func (l *Laws) EngineChanged(state EngineState, failing bool) {
	l.with(func() {
		l.enter(state)
		if state == Connecting && failing && l.broke.IsZero() {
			l.broke = time.Now() // with the mirrors of a former daemon, perhaps
		}
	})
}

// enter changes the state of the engine supervisor.
func (l *Laws) enter(state EngineState) {
	if state == l.engine {
		return
	}
	l.lost, l.cleaned = l.lastLost(), l.lastCleaned()
	switch state {
	case Disconnected:
		if l.broke.IsZero() {
			l.broke = time.Now()
		}
	case Syncing:
	default:
		l.broke = time.Time{}
	}
	l.engine, l.since = state, time.Now()
}

func (l *Laws) lastLost() time.Time {
	if !l.broke.IsZero() && time.Since(l.broke) >= l.grace {
		return time.Now()
	}
	return l.lost
}

func (l *Laws) lastCleaned() time.Time {
	if l.engine == Cleaning {
		return time.Now()
	}
	return l.cleaned
}

// SessionConnected records that a session has a connection.
func (l *Laws) SessionConnected() { l.with(func() { l.connecting = true }) }

// SessionSynced records that a session reported all objects, as they were at a time.
func (l *Laws) SessionSynced(asOf time.Time) {
	l.with(func() {
		if l.connecting {
			l.synced, l.connecting = asOf, false
		}
	})
}

// Dialed records that the engine supervisor has a client of a machine's engine.
func (l *Laws) Dialed(m *machine.Machine) { l.with(func() { l.dialed = m }) }

// RestartDue records that an actor failed and restarts in a while, or that its parent
// gave up.
func (l *Laws) RestartDue(in time.Duration, gaveUp bool) {
	l.with(func() {
		l.restlessFor(in + time.Second)
		if gaveUp {
			l.restlessFor(time.Minute)
		}
	})
}

func (l *Laws) restlessFor(d time.Duration) {
	if until := time.Now().Add(d); until.After(l.restless) {
		l.restless = until
	}
}

// Shaken records a fault whose effects are repaired after a while.
func (l *Laws) Shaken(d time.Duration) { l.with(func() { l.restlessFor(d) }) }

// Disturbed records an event after which mirrors can be removed for good reason.
func (l *Laws) Disturbed() { l.with(func() { l.disturbed = time.Now() }) }

// DaemonStarted records that a new daemon has started, without a state.
func (l *Laws) DaemonStarted() {
	l.with(func() {
		l.enter(None)
		l.restlessFor(time.Second)
		if l.hub != nil {
			l.hub.release()
		}
	})
}

// SupervisorStarted records a new engine supervisor, or a new incarnation of one.
func (l *Laws) SupervisorStarted() { l.with(func() { l.enter(None) }) }

// MirrorStarted records a new mirror actor of a container, or a new incarnation of
// one: it knows only what was written.
func (l *Laws) MirrorStarted(id string) { l.with(func() { l.incarnations[id]++ }) }

// Failed checks a panic of an actor. Without a simulated bug, only an actor that may
// fail by itself panics: a session reports a broken connection so.
func (l *Laws) Failed(actor, reason string, mayFail bool) {
	if !mayFail && !strings.Contains(reason, schedule.SimulatedBug) {
		l.violate("%s has failed without a simulated bug: %s", actor, reason)
	}
}

// Forged records that a mirror has a status that another version of rdd wrote.
func (l *Laws) Forged(key cluster.Key) { l.with(func() { l.forged[key] = true }) }

func (l *Laws) isForged(key cluster.Key) (yes bool) {
	l.with(func() { yes = l.forged[key] })
	return yes
}

// wrote checks a write of a daemon.
func (l *Laws) wrote(write cluster.Write) {
	if l.hub != nil {
		l.fenced(write)
	}
	if write.Key.Kind == "App" {
		if app, ok := write.After.(*appv1.App); ok && write.Verb == "update status" {
			l.settled(write, app)
			l.ended(write, app)
		}
		return
	}
	if slices.Contains(containersv1.RequestKinds(), containersv1.RequestKind(write.Key.Kind)) {
		l.requestWritten(write)
		return
	}
	if l.hub != nil {
		l.wroteHub(write)
		return
	}
	if write.Verb == "remove" {
		l.removed(write)
		return
	}
	if write.After != nil {
		l.mirrored(write)
		l.labeled(write)
		l.acted(write)
	}
}

// violate records that a law was broken. The caller may hold the lock.
func (l *Laws) violate(format string, args ...any) {
	l.recorder.Violate(fmt.Sprintf(format, args...))
}

// violateWrite records that a write broke a law. The caller may hold the lock.
func (l *Laws) violateWrite(write cluster.Write, format string, args ...any) {
	l.violate("%s of %s %.24s: %s", write.Verb, write.Key.Kind, write.Key.Name, fmt.Sprintf(format, args...))
}
