package world

import (
	"log/slog"
	"os"
	"sync"
	"time"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	hubv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/hub/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/cluster"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/engine"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/fate"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/hub"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/laws"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/machine"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/schedule"
)

// world is everything around the actor tree. It implements laws.Recorder and
// schedule.Observer.
type world struct {
	tree      Tree
	fates     *fate.Fates
	trace     *schedule.Trace
	scheduler *schedule.Scheduler
	logger    *slog.Logger

	cluster  *cluster.Cluster
	api      *fate.Link
	machines []*machine.Machine
	laws     *laws.Laws
	// local is the API server of the machine, for acts of users, and far the hub, which is nil
	// in some runs.
	local, far *side
	hub        *hub.Hub
	// allow is what users of the hub may do.
	allow hubv1.Allow
	// gentle is set when no call and no event is lost, late or slow.
	gentle bool
	// calmed is closed when the faults end.
	calmed chan struct{}

	orders chan order
	// ended is closed when the last daemon has ended.
	ended chan struct{}

	mu sync.Mutex // guards what follows
	// watch, events and serveFail are the rates of the faults that no link has.
	watch     cluster.WatchRates
	events    engine.EventRates
	serveFail float64
	// server is the control plane that runs, if any.
	server   *Server
	violated []string
	// counts of what happened, by name.
	counts map[string]int
	// backup is an earlier state of the hub; nil for none.
	backup cluster.Snapshot
	// busy has the faults of the hub that have not ended.
	busy map[string]bool
	// failures of actors and dead letters of all daemons.
	failures, deadLetters int
}

func newWorld(seed uint64, tree Tree, trace *schedule.Trace, verbose bool) *world {
	f := fate.New(seed)
	w := &world{
		tree: tree, fates: f, trace: trace, logger: slog.New(slog.DiscardHandler),
		cluster: cluster.New(), api: cluster.NewLink(f), counts: map[string]int{},
		orders: make(chan order), ended: make(chan struct{}), calmed: make(chan struct{}),
		busy: map[string]bool{},
	}
	if verbose {
		w.logger = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	for _, name := range []appv1.DriverName{appv1.DriverNative, appv1.DriverLima, appv1.DriverExternal} {
		m := machine.New(f, name)
		m.Model.SetClockOffset(f.Draw("clock "+string(name)).Between(-time.Hour, time.Hour))
		w.machines = append(w.machines, m)
	}
	w.laws = laws.New(w, w.cluster, w.machines, tree.Grace())
	w.local = &side{Cluster: w.cluster, laws: w.laws}
	if f.Draw("joined").Chance(joinedRuns) {
		w.join()
	}
	w.scheduler = schedule.New(f, trace, tree, w)
	return w
}

func (w *world) with(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f()
}

// Note implements laws.Recorder.
func (w *world) Note(who, what string) { w.trace.Note(who, what) }

// Count implements laws.Recorder.
func (w *world) Count(what string) { w.with(func() { w.counts[what]++ }) }

func (w *world) counted(what string) (n int) {
	w.with(func() { n = w.counts[what] })
	return n
}

// Violate implements laws.Recorder.
func (w *world) Violate(text string) {
	w.trace.Note("VIOLATION", text)
	w.with(func() { w.violated = append(w.violated, text) })
}

// Created implements schedule.Observer.
func (w *world) Created(actor string) { w.tree.Created(w.lawsOf, actor) }

// Posted implements schedule.Observer.
func (w *world) Posted(actor string, message any) { w.tree.Posted(w.lawsOf, actor, message) }

// lawsOf returns the laws of a home.
func (w *world) lawsOf(isHub bool) *laws.Laws {
	if isHub {
		return w.far.laws
	}
	return w.laws
}

// Failed implements schedule.Observer. A restarted actor knows only what was written,
// as a new one does.
func (w *world) Failed(actor, reason string) {
	w.tree.Created(w.lawsOf, actor)
	w.laws.Failed(actor, reason, w.tree.MayFail(w.tree.Role(actor)))
}

func (w *world) machine(name appv1.DriverName) *machine.Machine {
	for _, m := range w.machines {
		if m.Name == name {
			return m
		}
	}
	return nil
}

func (w *world) eventRates() (r engine.EventRates) {
	w.with(func() { r = w.events })
	return r
}

func (w *world) watchRates() (r cluster.WatchRates) {
	w.with(func() { r = w.watch })
	return r
}
