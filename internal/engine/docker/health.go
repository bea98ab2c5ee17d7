package docker

import (
	"time"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/async"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
)

// healthWatch is a container with a health check. The engine sends an event when the
// status changes, but none when a probe only changes the failing streak or the output.
// Each probe is an exec, so its end has an event with its exit code. A reading after
// each of them would cost an inspection per probe: a probe that succeeds causes one only
// after failures, and one covers several probes that fail.
type healthWatch struct {
	// last is the health that was read last.
	last containersv1.ContainerHealth
	// asOf is when that reading began.
	asOf time.Time
	// timer runs until the next reading.
	timer *time.Timer
	// attempts counts the readings in a row that found the same status and streak.
	attempts int
	// since is when the last probe ended that requested a reading.
	since time.Time
}

// probeReadDue requests a reading after a probe.
type probeReadDue struct{ key engine.Key }

// probeBackoff returns the pauses between the end of a probe and its reading.
func probeBackoff() async.Backoff {
	return async.Backoff{Min: 2 * time.Second, Max: 30 * time.Second}
}

// execEnded handles the end of an exec, which may have been a probe.
func (w *watcher) execEnded(key engine.Key, failed bool) {
	h := w.health[key]
	if h == nil || !failed && h.last.FailingStreak == 0 {
		return
	}
	h.since = time.Now()
	if h.timer == nil {
		h.timer = w.tasks.After(probeBackoff().Delay(h.attempts+1), probeReadDue{key})
	}
}

// probeReadDue reads a container, unless a reading has begun since.
func (w *watcher) probeReadDue(key engine.Key) {
	if h := w.health[key]; h != nil && h.timer != nil {
		h.stop() // a probe that ends during the reading requests another one
		w.refresh(key)
	}
}

// updateHealth notes the health in a reading. It replaces the planned reading if it
// began after the last probe that requested one.
func (w *watcher) updateHealth(v reading) {
	if v.key.Kind != containersv1.KindContainer {
		return
	}
	h := w.health[v.key]
	if h != nil && v.asOf.Before(h.asOf) {
		return
	}
	var now containersv1.ContainerHealth
	if v.err == nil {
		now = v.mirrors[0].(*containersv1.Container).Status.Health
	}
	if now.Status == "" || now.Status == containersv1.HealthNone {
		if h != nil {
			h.stop()
			delete(w.health, v.key)
		}
		return
	}
	if h == nil {
		h = &healthWatch{}
		w.health[v.key] = h
	}
	if now.Status == h.last.Status && now.FailingStreak == h.last.FailingStreak {
		h.attempts++
	} else {
		h.attempts = 0
	}
	h.last, h.asOf = now, v.asOf
	if v.asOf.After(h.since) {
		h.stop()
	}
}

// pruneHealth forgets the containers that a full sync did not find.
func (w *watcher) pruneHealth(syncedAsOf time.Time, isUnread func(engine.Key) bool) {
	for key, h := range w.health {
		if h.asOf.Before(syncedAsOf) && !isUnread(key) {
			h.stop()
			delete(w.health, key)
		}
	}
}

func (h *healthWatch) stop() {
	if h.timer != nil {
		h.timer.Stop()
		h.timer = nil
	}
}
