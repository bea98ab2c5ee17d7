package vm

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestGoneEndpointIsRepaired: an engine that is alive behind a socket that was
// removed is restarted by its driver, once.
func TestGoneEndpointIsRepaired(t *testing.T) {
	inWorld(t, func(w *world) {
		w.ensure(1, true, native)
		w.sleep(2 * time.Second)
		w.native.with(func() { w.native.pingErr = fmt.Errorf("%w: /run/docker.sock was removed", ErrEndpointGone) })
		w.sleep(15 * time.Second)
		w.wantCalls("start moby", "repair", "start moby")
		w.wantStates(starting, running, failed, starting, running)
	})
}

// TestRepairThatIsRefusedIsReported: what cannot be repaired says so, and why, and is
// not tried over and over.
func TestRepairThatIsRefusedIsReported(t *testing.T) {
	inWorld(t, func(w *world) {
		w.native.repairErr = errors.New("a rootless dockerd ends its containers")
		w.ensure(1, true, native)
		w.sleep(2 * time.Second)
		w.native.with(func() { w.native.pingErr = fmt.Errorf("%w: /run/docker.sock was removed", ErrEndpointGone) })
		w.sleep(time.Minute)
		w.wantCalls("start moby", "repair")
		m := w.last()
		if m.State != failed || !m.Silent || !strings.Contains(m.Message, "docker.sock was removed") || !strings.Contains(m.Message, "ends its containers") {
			t.Errorf("reported %+v", m)
		}
	})
}

// TestStopReportsWhatItWaitsFor: a stop that takes as long as a container says which.
func TestStopReportsWhatItWaitsFor(t *testing.T) {
	inWorld(t, func(w *world) {
		w.ensure(1, true, native)
		w.sleep(2 * time.Second)
		w.native.with(func() { w.native.stopTime, w.native.stopWithin = time.Hour, NoLimit })
		w.ensure(2, false, native)
		w.sleep(30 * time.Minute)
		if m := w.last(); m.State != stopping || m.Message != "waiting for a fake container" {
			t.Errorf("reported %+v", m)
		}
		w.sleep(31 * time.Minute)
		w.wantStates(starting, running, stopping, stopped)
		w.wantCalls("start moby", "stop")
	})
}
