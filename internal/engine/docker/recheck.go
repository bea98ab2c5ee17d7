package docker

import (
	"time"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/async"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
)

// recheck is a container that is read again without an event: because its state is
// transient, or because it may change and the engine sends no event.
type recheck struct {
	// timer runs until the next reading begins, at due.
	timer *time.Timer
	due   time.Time
	// since is when the last event arrived that a silent change may follow.
	since time.Time
	// silent are the pauses before the readings that a silent change still needs.
	silent []time.Duration
	// attempts counts the readings of a transient state.
	attempts int
}

// recheckDue requests the next reading.
type recheckDue struct{ key engine.Key }

// transientSeen requests a reading of a container of which a reading beside the watch
// found a transient state.
type transientSeen struct{ key engine.Key }

// recheckTransient lets the watch read a container again if its state is transient.
func (e *dockerEngine) recheckTransient(key engine.Key, read []containersv1.Mirror) {
	tasks := e.watching.Load()
	if tasks == nil || len(read) == 0 {
		return
	}
	if c, ok := read[0].(*containersv1.Container); ok && !isStable(c.Status.Status) {
		tasks.After(transientBackoff().Delay(1), transientSeen{engine.Key{Kind: key.Kind, ID: key.ID}})
	}
}

// silentPauses returns the pauses before a number of readings after an event that a
// silent change may follow. An inspect waits for a start that is under way, in
// both generations of the engine, so a reading that begins during the start sees
// the outcome.
func silentPauses(readings int) []time.Duration {
	return []time.Duration{100 * time.Millisecond, time.Second}[:readings]
}

// transientBackoff returns the pauses between readings of a transient state.
func transientBackoff() async.Backoff {
	return async.Backoff{Min: 200 * time.Millisecond, Max: time.Second}
}

// isStable reports whether a container stays in a state until an event reports another.
func isStable(state containersv1.ContainerState) bool {
	switch state {
	case containersv1.ContainerPausing, containersv1.ContainerRestarting, containersv1.ContainerRemoving,
		containersv1.ContainerUnknown:
		return false
	case containersv1.ContainerCreated, containersv1.ContainerRunning, containersv1.ContainerPaused,
		containersv1.ContainerExited, containersv1.ContainerDead:
	}
	return true
}

// recheckLater plans readings after these pauses.
func (w *watcher) recheckLater(key engine.Key, pauses []time.Duration) {
	r := w.rechecks[key]
	if r == nil {
		r = &recheck{}
		w.rechecks[key] = r
	}
	r.since = time.Now()
	if len(pauses) > len(r.silent) {
		r.silent = pauses
	}
	if due := time.Now().Add(r.silent[0]); r.timer == nil || due.Before(r.due) {
		w.planRecheck(key, r, r.silent[0])
	}
}

func (w *watcher) planRecheck(key engine.Key, r *recheck, pause time.Duration) {
	if r.timer != nil {
		r.timer.Stop()
	}
	r.due = time.Now().Add(pause)
	r.timer = w.tasks.After(pause, recheckDue{key})
}

// recheckDue reads a container again. A reading that began since then has stopped the
// timer, but perhaps not its message.
func (w *watcher) recheckDue(key engine.Key) {
	if r := w.rechecks[key]; r != nil && r.timer != nil {
		w.refresh(key)
	}
}

// started notes that a reading began, which replaces the planned one. It accepts a
// nil recheck.
func (r *recheck) started() {
	if r == nil || r.timer == nil {
		return
	}
	r.timer.Stop()
	r.timer = nil
	if len(r.silent) > 0 {
		r.silent = r.silent[1:]
	}
}

// updateRecheck plans the next reading of a container that was just read, unless its
// state is stable and no silent change is expected.
func (w *watcher) updateRecheck(v reading) {
	if v.key.Kind != containersv1.KindContainer {
		return
	}
	r := w.rechecks[v.key]
	if r == nil {
		r = &recheck{}
	}
	if r.timer != nil && v.asOf.Before(r.since) {
		return // a reading from before the event does not replace the planned one
	}
	var pause time.Duration
	if v.err == nil {
		pause = r.pause(v.mirrors[0].(*containersv1.Container).Status.Status)
	}
	if pause > 0 {
		w.rechecks[v.key] = r
		w.planRecheck(v.key, r, pause)
		return
	}
	if r.timer != nil {
		r.timer.Stop()
	}
	delete(w.rechecks, v.key)
}

// pause returns the pause before the next reading of a container in a state; zero
// when no reading is needed.
func (r *recheck) pause(state containersv1.ContainerState) time.Duration {
	if !isStable(state) {
		r.attempts++
		return transientBackoff().Delay(r.attempts)
	}
	r.attempts = 0
	if len(r.silent) == 0 || state == containersv1.ContainerRunning || state == containersv1.ContainerPaused {
		return 0
	}
	return r.silent[0]
}
