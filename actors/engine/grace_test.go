package engine

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// A timer of the first failure removed the mirrors half a second after the second one.
func TestSecondDisconnectHasWholeGracePeriod(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.send(connectTo(1))
		w.last(t)
		grace := DefaultSettings().Grace

		w.engine.up.Store(false)
		w.engine.broken <- errors.New("cut")
		time.Sleep(3 * time.Second) // the session fails a few times
		w.engine.up.Store(true)
		time.Sleep(grace - 3500*time.Millisecond)
		if got := w.last(t); got.State != messages.EngineReady {
			t.Fatalf("got %+v, want Ready again", got)
		}

		w.engine.up.Store(false)
		w.engine.broken <- errors.New("cut again, near the end of the first grace period")
		time.Sleep(grace - 3*time.Second)
		w.engine.up.Store(true)
		time.Sleep(2 * time.Second)
		if got := w.last(t); got.State != messages.EngineReady {
			t.Fatalf("got %+v, want Ready again", got)
		}
		if n := w.good.Load(); n != 1 {
			t.Errorf("the mirror was created %d times: the second failure had no grace period of its own", n)
		}
	})
}

// An engine that came back within the grace period was found only after it, when the
// session had failed so often that its restarts were slow.
func TestSessionPauseIsShortWithinGrace(t *testing.T) {
	s := &supervisor{Config: Config{Settings: DefaultSettings()}}
	s.graceEnds = time.Now().Add(s.Grace)
	for range 5 {
		if pause := s.pause(); pause > time.Second {
			t.Errorf("the pause is %s within the grace period", pause)
		}
	}
	s.graceEnds = time.Now().Add(-time.Second)
	if pause := s.pause(); pause < s.Slow/2 {
		t.Errorf("the pause is %s after the grace period, want at least %s", pause, s.Slow/2)
	}
}
