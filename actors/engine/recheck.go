package engine

import (
	"time"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/async"
)

// recheck is a container that is read again without an event: because its state
// does not last, or because it may change and the engine sends no event.
type recheck struct {
	// timer runs until the next reading begins, at due.
	timer *time.Timer
	due   time.Time
	// since is when the last event came that a silent change may follow.
	since time.Time
	// silent are the pauses before the readings that a silent change still needs.
	silent []time.Duration
	// attempts counts the readings of a state that does not last.
	attempts int
}

// recheckDue is a message of the session to itself.
type recheckDue struct{ target target }

// silentPauses are the pauses before a number of readings after an event that a
// silent change may follow. An inspect waits for a start that is under way, in
// both generations of the engine, so a reading that begins during the start sees
// how it ended.
func silentPauses(readings int) []time.Duration {
	return []time.Duration{100 * time.Millisecond, time.Second}[:readings]
}

// unlasting paces the readings of a state that does not last.
func unlasting() async.Backoff { return async.Backoff{Min: 200 * time.Millisecond, Max: time.Second} }

// lasts reports whether a container stays in a state until an event reports another.
func lasts(state containersv1.ContainerState) bool {
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
func (s *session) recheckLater(t target, pauses []time.Duration) {
	r := s.rechecks[t]
	if r == nil {
		r = &recheck{}
		s.rechecks[t] = r
	}
	r.since = time.Now()
	if len(pauses) > len(r.silent) {
		r.silent = pauses
	}
	if due := time.Now().Add(r.silent[0]); r.timer == nil || due.Before(r.due) {
		s.plan(t, r, r.silent[0])
	}
}

func (s *session) plan(t target, r *recheck, pause time.Duration) {
	if r.timer != nil {
		r.timer.Stop()
	}
	r.due = time.Now().Add(pause)
	r.timer = s.tasks.After(pause, recheckDue{t})
}

// recheckDue reads a container again. A reading that began since the timer was set
// has stopped the timer, but may not have stopped its message.
func (s *session) recheckDue(t target) {
	if r := s.rechecks[t]; r != nil && r.timer != nil {
		s.refresh(t)
	}
}

// began notes that a reading begins, which takes the place of the planned one. It
// accepts a nil recheck.
func (r *recheck) began() {
	if r == nil || r.timer == nil {
		return
	}
	r.timer.Stop()
	r.timer = nil
	if len(r.silent) > 0 {
		r.silent = r.silent[1:]
	}
}

// settle plans the next reading of a container that was just read, unless its
// state lasts and no silent change is expected.
func (s *session) settle(v readDone) {
	if v.target.kind != containersv1.KindContainer {
		return
	}
	r := s.rechecks[v.target]
	if r == nil {
		r = &recheck{}
	}
	if r.timer != nil && v.asOf.Before(r.since) {
		return // a reading from before the event does not replace the planned one
	}
	var pause time.Duration
	if v.err == nil {
		pause = r.pause(v.objects[0].(*containersv1.Container).Status.Status)
	}
	if pause > 0 {
		s.rechecks[v.target] = r
		s.plan(v.target, r, pause)
		return
	}
	if r.timer != nil {
		r.timer.Stop()
	}
	delete(s.rechecks, v.target)
}

// pause returns how long to wait with the next reading of a container in a state;
// zero when no further one is needed.
func (r *recheck) pause(state containersv1.ContainerState) time.Duration {
	if !lasts(state) {
		r.attempts++
		return unlasting().Delay(r.attempts)
	}
	r.attempts = 0
	if len(r.silent) == 0 || state == containersv1.ContainerRunning || state == containersv1.ContainerPaused {
		return 0
	}
	return r.silent[0]
}
