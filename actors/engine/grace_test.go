package engine

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// A timer that was left from the first break took the mirrors away half a second
// after the second one.
func TestASecondBreakHasAWholeTimeOfGrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.send(connectTo(1))
		w.last(t)
		grace := DefaultSettings().Grace

		w.engine.up.Store(false)
		w.engine.broken <- errors.New("cut")
		time.Sleep(3 * time.Second) // it fails a few times
		w.engine.up.Store(true)
		time.Sleep(grace - 3500*time.Millisecond)
		if got := w.last(t); got.State != messages.EngineReady {
			t.Fatalf("told %+v, want Ready again", got)
		}

		w.engine.up.Store(false)
		w.engine.broken <- errors.New("cut again, when the first time of grace is nearly over")
		time.Sleep(grace - 3*time.Second)
		w.engine.up.Store(true)
		time.Sleep(2 * time.Second)
		if got := w.last(t); got.State != messages.EngineReady {
			t.Fatalf("told %+v, want Ready again", got)
		}
		if n := w.good.Load(); n != 1 {
			t.Errorf("the mirror was made %d times: the second break had no grace of its own", n)
		}
	})
}

// An engine that came back within the time of grace was found only after it, when
// the session had failed so often that it was slowed down.
func TestTheNextSessionComesSoonWhileMirrorsWait(t *testing.T) {
	s := &supervisor{Config: Config{Settings: DefaultSettings()}}
	s.graceEnds = time.Now().Add(s.Grace)
	for range 5 {
		if pause := s.pause(); pause > time.Second {
			t.Errorf("the pause is %s while mirrors wait", pause)
		}
	}
	s.graceEnds = time.Now().Add(-time.Second)
	if pause := s.pause(); pause < s.Slow/2 {
		t.Errorf("the pause is %s with nothing that waits, want at least %s", pause, s.Slow/2)
	}
}
