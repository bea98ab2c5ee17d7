package vm

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

// The socket of a running engine was removed. The driver restarts the engine once.
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

// A repair that fails for good is reported with the reason, and is not repeated.
func TestFailedRepairIsReportedOnce(t *testing.T) {
	inWorld(t, func(w *world) {
		w.native.repairErr = Permanent(errors.New("a rootless dockerd ends its containers"))
		w.ensure(1, true, native)
		w.sleep(2 * time.Second)
		w.native.with(func() { w.native.pingErr = fmt.Errorf("%w: /run/docker.sock was removed", ErrEndpointGone) })
		w.sleep(time.Minute)
		w.wantCalls("start moby", "repair")
		m := w.last()
		if m.State != failed || !m.Silent || !strings.Contains(m.Message, "docker.sock was removed") || !strings.Contains(m.Message, "ends its containers") {
			t.Errorf("last VMChanged: %+v", m)
		}
	})
}

// A repair that fails for a while is retried with growing pauses, and its failures are
// forgotten when the engine answers.
func TestFailedRepairIsRetried(t *testing.T) {
	inWorld(t, func(w *world) {
		gone := fmt.Errorf("%w: /run/docker.sock was removed", ErrEndpointGone)
		w.native.repairErr = errors.New("wait for an earlier call")
		w.ensure(1, true, native)
		w.sleep(2 * time.Second)
		w.native.with(func() { w.native.pingErr = gone })
		w.sleep(10 * time.Minute)
		repairs := len(w.native.history()) - 1
		if repairs < 5 || repairs > 14 {
			t.Errorf("%d repairs in ten minutes", repairs)
		}
		if m := w.last(); m.State != failed || !m.Silent || !strings.Contains(m.Message, "wait for an earlier call: rdd retries") {
			t.Errorf("last VMChanged: %+v", m)
		}
		w.native.with(func() { w.native.pingErr = nil })
		w.sleep(pingInterval)
		if m := w.last(); m.State != running {
			t.Errorf("last VMChanged of an engine that answers: %+v", m)
		}
		w.native.with(func() { w.native.pingErr, w.native.repairErr = gone, nil })
		w.states()
		w.sleep(15 * time.Second)
		w.wantCalls("repair", "start moby")
		w.wantStates(failed, starting, running)
	})
}

// A stop without a limit reports the container that it waits for.
func TestStopReportsContainer(t *testing.T) {
	inWorld(t, func(w *world) {
		w.ensure(1, true, native)
		w.sleep(2 * time.Second)
		w.native.with(func() { w.native.stopTime, w.native.stopWithin = time.Hour, NoLimit })
		w.ensure(2, false, native)
		w.sleep(30 * time.Minute)
		if m := w.last(); m.State != stopping || m.Message != "waiting for a fake container" {
			t.Errorf("last VMChanged: %+v", m)
		}
		w.sleep(31 * time.Minute)
		w.wantStates(starting, running, stopping, stopped)
		w.wantCalls("start moby", "stop")
	})
}
