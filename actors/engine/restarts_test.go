package engine

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// A mirror that was given up restarts after growing pauses, whatever happens to its
// object, and its resource shows the failure. The end of its engine ends a pause.
func TestGivenUpMirrorRestartsAfterPauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.panicking.Store(true)
		w.send(connectTo(1))
		w.last(t)
		failing := &containersv1.Volume{}
		failing.Name, failing.Namespace, failing.UID, failing.ResourceVersion = "bad", "ns", "u1", "1"
		w.resources.change(failing)
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		before := w.bad.Load()
		for range 60 { // an event a minute
			w.send(messages.SessionEvent{Event: engine.Object{Mirror: failing, AsOf: time.Now()}})
			time.Sleep(time.Minute)
		}
		synctest.Wait()
		if n := w.bad.Load() - before; n < 20 || n > 80 {
			t.Errorf("created %d times in an hour, want a few attempts in each 150 to 300 s", n)
		}
		if marked, _ := w.marked.Load().(string); !strings.Contains(marked, "bad: cannot mirror bad") {
			t.Errorf("marked as failed: %q", marked)
		}
		if got := w.last(t); got.State != messages.EngineReady {
			t.Errorf("got %+v, want Ready: a mirror that fails delays no sync", got)
		}
		before = w.bad.Load()
		w.send(messages.DisconnectEngine{Seq: 2})
		w.last(t)
		if w.bad.Load() == before {
			t.Error("its resource stays until the end of the pause, although the engine is gone")
		}
		w.resources.remove(failing)
		w.send(messages.MirrorFinished{Kind: containersv1.KindVolume, Name: "bad"})
		if got := w.last(t); got.State != messages.EngineIdle {
			t.Errorf("got %+v right after the stop, want Idle", got)
		}
	})
}

func TestRestartPausesGrowAndReset(t *testing.T) {
	r, now := restarts{}, time.Now()
	r.startedAt = now
	for _, most := range []time.Duration{5 * time.Second, 10 * time.Second, 20 * time.Second} {
		if got := r.pause(5*time.Second, now); got < most/2 || got > most {
			t.Errorf("a pause of %v, want %v to %v", got, most/2, most)
		}
	}
	for range 10 {
		if got := r.pause(5*time.Second, now); got > maxPause {
			t.Errorf("a pause of %v, want %v at most", got, maxPause)
		}
	}
	if got := r.pause(5*time.Second, now.Add(time.Hour)); got > 5*time.Second {
		t.Errorf("after an hour without a failure the first pause is %v", got)
	}
}

// A restart pause that was cancelled with the engine can still report its end.
func TestCancelledPauseDoesNotRestartMirror(t *testing.T) {
	s := &supervisor{mirrors: newRegistry()}
	e := s.mirrors.ensure(containersv1.KindVolume, "bad", "ns")
	e.restarts.pause(time.Second, time.Now())
	former := restartDue{e: e, pause: e.restarts.number}
	e.restarts.reset()
	e.restarts.pause(time.Second, time.Now())
	// The restart of a mirror without resource and object removes its entry.
	if s.receiveOwn(nil, former); s.mirrors.empty() {
		t.Error("the end of a former pause restarted the mirror")
	}
	if s.receiveOwn(nil, restartDue{e: e, pause: e.restarts.number}); !s.mirrors.empty() {
		t.Error("the end of the pause did not restart the mirror")
	}
}

// The removal of a container unblocks a network, but the engine never removes a
// predefined one.
func TestPredefinedNetworkIsNotUnblocked(t *testing.T) {
	for name, want := range map[string]bool{"web": true, "bridge": false, "host": false, "none": false} {
		network := &containersv1.Network{}
		network.Status.Name = name
		e := &entry{key: key{containersv1.KindNetwork, "net-1"}, pid: &actor.PID{}, resource: network}
		if got := e.isUnblockedBy(containersv1.KindContainer); got != want {
			t.Errorf("%s: unblocked %t, want %t", name, got, want)
		}
	}
}
