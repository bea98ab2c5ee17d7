package world

import (
	"fmt"
	"slices"
	"time"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	hubv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/hub/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/cluster"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/fate"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/hub"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/laws"
)

// joinedRuns is the part of the runs in which the machine has joined a hub.
const joinedRuns = 0.5

// join makes the machine one that has joined a hub.
func (w *world) join() {
	w.allow = fate.Pick(w.fates.Draw("allow"), []hubv1.Allow{
		hubv1.AllowCreate, hubv1.AllowCreate, hubv1.AllowCreate, hubv1.AllowOperate, hubv1.AllowView,
	})
	w.hub = hub.New(w.fates, w.watchRates, (*hubWitness)(w))
	l := laws.New(w, w.hub.Cluster, w.machines, w.tree.Grace())
	l.Join(w.cluster, hub.Machine, w.allow)
	w.far = &side{Cluster: w.hub.Cluster, laws: l, namespace: hub.Machine}
}

// hubWitness observes the requests of the daemon to the hub.
type hubWitness world

// Renewed implements hub.Witness.
func (w *hubWitness) Renewed() { w.far.laws.Renewed() }

// Released implements hub.Witness.
func (w *hubWitness) Released() { w.far.laws.Released() }

// Written implements hub.Witness.
func (w *hubWitness) Written() { (*world)(w).Count("machine writes") }

// Note implements hub.Witness.
func (w *hubWitness) Note(who, what string) { (*world)(w).Note(who, what) }

// allActs returns all events that can happen in this run.
func (w *world) allActs() []act {
	if w.hub == nil {
		return acts()
	}
	return slices.Concat(acts(), hubActs())
}

// hubActs returns the events that can happen with a hub.
func hubActs() []act {
	return []act{
		{"hub desired state", 14, onHub((*world).setDesiredState)},
		{"hub action", 10, onHub((*world).requestAction)},
		{"hub delete mirror", 10, onHub((*world).deleteMirror)},
		{"hub hold", 2, func(w *world, d *fate.Dice) { w.setFinalizer(w.far, d, true) }},
		{"hub let go", 2, func(w *world, d *fate.Dice) { w.setFinalizer(w.far, d, false) }},
		{"hub touch", 4, onHub((*world).touch)},
		{"hub request", 10, onHub((*world).createRequest)},
		{"hub delete request", 2, onHub((*world).deleteRequest)},
		{"contradiction", 8, (*world).contradict},
		{"hub away", 5, (*world).leaveHub},
		{"hub frozen", 2, (*world).freezeHub},
		{"hub watches", 2, func(w *world, _ *fate.Dice) { w.hub.BreakWatches() }},
		{"hub starved", 4, (*world).starveHub},
		{"Lease taken", 4, (*world).takeLease},
		{"hub restored", 5, (*world).backUpHub},
		{"hub namespace deleted", 2, (*world).deleteHubNamespace},
	}
}

// each calls f with each home.
func (w *world) each(f func(*side)) {
	f(w.local)
	if w.far != nil {
		f(w.far)
	}
}

func (w *world) disturb() { w.each(func(s *side) { s.laws.Disturbed() }) }

// problems returns what is wrong now in either home.
func (w *world) problems() (all []string) {
	all = w.laws.Problems()
	if w.far != nil {
		for _, p := range w.far.laws.Problems() {
			all = append(all, "hub: "+p)
		}
	}
	return all
}

// begin reports whether a fault of the hub can begin. It ends at the latest with calmHub.
func (w *world) begin(fault string) (ok bool) {
	w.with(func() {
		if ok = !w.busy[fault] && !w.isCalm(); ok {
			w.busy[fault] = true
		}
	})
	if ok {
		w.far.laws.Disturbed()
		w.Note("hub", fault)
	}
	return ok
}

// end reports whether a fault has not ended before, and ends it.
func (w *world) endFault(fault string) (ok bool) {
	w.with(func() { ok, w.busy[fault] = w.busy[fault], false })
	if ok {
		w.far.laws.Disturbed()
		w.Note("hub", fault+" ends")
	}
	return ok
}

func (w *world) isCalm() bool {
	select {
	case <-w.calmed:
		return true
	default:
		return false
	}
}

// contradict requests opposite states of one container in both homes.
func (w *world) contradict(d *fate.Dice) {
	m := w.local.someMirror(d, containersv1.KindContainer)
	if m == nil {
		return
	}
	states := []containersv1.DesiredState{containersv1.StateRunning, containersv1.StateCreated}
	first := d.N(2)
	w.Note("user", fmt.Sprintf("contradict, %s first, for %.12s", states[first], m.GetName()))
	here, there := keyOf(m), cluster.Key{Kind: containersv1.KindContainer, Namespace: hub.Machine, Name: m.GetName()}
	if w.local.SetDesiredState(here, states[first]) {
		w.laws.Requested(here)
	}
	w.fates.Pass(d.Between(0, 20*time.Millisecond))
	if w.far.SetDesiredState(there, states[1-first]) {
		w.far.laws.Requested(there)
	}
}

// leaveHub makes the hub unreachable for a while.
func (w *world) leaveHub(d *fate.Dice) {
	if !w.begin("away") {
		return
	}
	w.hub.Leave(d)
	w.after(d.Between(100*time.Millisecond, time.Minute), w.returnHub)
}

func (w *world) returnHub() {
	if w.endFault("away") {
		w.hub.Return()
	}
}

// freezeHub makes the hub hang for a while.
func (w *world) freezeHub(d *fate.Dice) {
	if !w.begin("frozen") {
		return
	}
	w.hub.Freeze()
	w.after(d.Between(time.Second, time.Minute), w.thawHub)
}

func (w *world) thawHub() {
	if w.endFault("frozen") {
		w.hub.Thaw()
	}
}

// starveHub makes the actors of the hub handle no messages for a while, in which a tree that
// ends or restarts waits for them.
func (w *world) starveHub(d *fate.Dice) {
	if !w.begin("starved") {
		return
	}
	w.scheduler.Hold("root/hub")
	starved := d.Between(time.Second, 70*time.Second)
	w.each(func(s *side) { s.laws.Shaken(starved + 10*time.Second) })
	w.after(starved, w.feedHub)
}

func (w *world) feedHub() {
	if w.endFault("starved") {
		w.scheduler.Release()
	}
}

// takeLease makes another machine the holder of the Lease for a while, in which the actors of
// the hub may also be starved.
func (w *world) takeLease(d *fate.Dice) {
	const other, duration = "laptop_2", 40 * time.Second
	if !w.hub.IsActive() || !w.begin("taken") {
		return
	}
	if d.Chance(0.5) {
		w.starveHub(d)
	}
	go func() {
		for range 1 + d.N(8) {
			w.hub.TakeLease(other, duration)
			w.fates.Pass(10 * time.Second)
			if w.isCalm() {
				break
			}
		}
		if d.Chance(0.5) {
			w.hub.TakeLease("", time.Second)
		}
		w.endFault("taken")
	}()
}

// backUpHub records the state of the hub, often with a request that is not carried out yet,
// and restores it soon.
func (w *world) backUpHub(d *fate.Dice) {
	if !w.hub.IsActive() {
		return
	}
	switch d.N(6) {
	case 0, 1:
		w.setDesiredState(w.far, d)
	case 2:
		w.deleteMirror(w.far, d)
	case 3:
		w.requestAction(w.far, d)
	case 4:
		w.createRequest(w.far, d)
	}
	w.Note("hub", "backup")
	w.with(func() { w.backup = w.hub.Snapshot() })
	w.after(d.Between(100*time.Millisecond, 10*time.Second), func() { w.restoreHub(w.fates.Draw("restore")) })
}

// restoreHub makes the hub return from a backup after a while.
func (w *world) restoreHub(d *fate.Dice) {
	var backup cluster.Snapshot
	w.with(func() { backup = w.backup })
	if backup == nil || !w.hub.IsActive() || !w.begin("away") {
		return
	}
	w.hub.Leave(d)
	w.after(d.Between(100*time.Millisecond, time.Minute), func() {
		w.restoreBackup()
		w.returnHub()
	})
}

// restoreBackup restores the backup once. One that is older than the return would have
// generations that were given twice since.
func (w *world) restoreBackup() {
	var backup cluster.Snapshot
	w.with(func() {
		if w.busy["away"] {
			backup, w.backup = w.backup, nil
		}
	})
	if backup == nil || !w.hub.IsActive() {
		return
	}
	w.Note("hub", "restored")
	w.hub.Restore(backup)
	w.far.laws.Restored()
}

// deleteHubNamespace deletes the namespace of the machine by force. An administrator adds the
// machine again.
func (w *world) deleteHubNamespace(d *fate.Dice) {
	if !w.hub.IsActive() || !w.begin("deleted") {
		return
	}
	w.with(func() { w.backup = nil })
	w.far.laws.NamespaceDeleted(w.hub.DeleteNamespace())
	w.after(d.Between(10*time.Millisecond, time.Minute), w.hub.CompleteDeletion)
	w.after(d.Between(65*time.Second, 70*time.Second), w.addMachine)
}

func (w *world) addMachine() {
	if w.endFault("deleted") {
		w.hub.AddMachine()
	}
}

// calmHub ends all faults of the hub.
func (w *world) calmHub() {
	if w.hub == nil {
		return
	}
	w.hub.SetRates(fate.Rates{})
	w.returnHub()
	w.thawHub()
	w.feedHub()
	for _, m := range w.far.Mirrors() {
		w.far.SetFinalizer(keyOf(m), foreign, false)
	}
}
