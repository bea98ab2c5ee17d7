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

// A repair that fails is reported with the reason, and is not repeated.
func TestFailedRepairIsReportedOnce(t *testing.T) {
	inWorld(t, func(w *world) {
		w.native.repairErr = errors.New("a rootless dockerd ends its containers")
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
