package vm

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// fakeIdler is a driver of an engine that can be idle.
type fakeIdler struct {
	*fakeDriver
	used time.Time
	hold *fakeHold
}

type fakeHold struct {
	needed func()
	open   int
	// These are written by other goroutines.
	forwarded, closed atomic.Bool
}

func (f *fakeIdler) LastUse(context.Context) (used time.Time, err error) {
	f.with(func() { used = f.used })
	if used.IsZero() {
		err = errors.New("an old host agent")
	}
	return used, err
}

func (f *fakeIdler) Hold(needed func()) (Hold, error) {
	h := &fakeHold{needed: needed}
	f.with(func() { f.hold = h })
	f.called("hold")
	return h, nil
}

func (h *fakeHold) Forward(func(context.Context) (net.Conn, error)) { h.forwarded.Store(true) }
func (h *fakeHold) Open() int                                       { return h.open }
func (h *fakeHold) Close()                                          { h.closed.Store(true) }

const idleTime = 10 * time.Minute

// inIdleWorld runs a test with a running engine that nothing has used for a while.
func inIdleWorld(t *testing.T, test func(w *world, driver *fakeIdler)) {
	inWorld(t, func(w *world) {
		driver := &fakeIdler{fakeDriver: w.lima, used: time.Now()}
		w.stopActor()
		w.idler = driver
		w.spawn()
		w.ensure(1, true, lima)
		w.sleep(idleTime)
		driver.history()
		w.states()
		test(w, driver)
	})
}

func (w *world) rest() {
	w.system.Root.RequestWithCustomSender(w.vm, messages.EnsureVM{Generation: 1, Idle: idleTime, Spec: lima}, w.subscriber)
	synctest.Wait()
}

func TestIdleVMStopsAndWakes(t *testing.T) {
	inIdleWorld(t, func(w *world, driver *fakeIdler) {
		w.rest()
		// A client that comes during the stop is held, and the stop ends first.
		driver.hold.needed()
		synctest.Wait()
		if m := w.last(); m.State != messages.VMStopping || time.Since(m.Used) > time.Second {
			t.Errorf("%+v, want the use of a VM that stops", m)
		}
		w.ensure(1, true, lima)
		w.sleep(time.Minute)
		w.wantStates(messages.VMRunning, messages.VMStopping, messages.VMStarting, messages.VMRunning)
		if got := driver.history(); len(got) != 3 || got[0] != "hold" || got[1] != "stop" || got[2] != "start moby" {
			t.Errorf("calls %q", got)
		}
		if !driver.hold.forwarded.Load() {
			t.Error("the held connections are not forwarded")
		}
		// A forwarded connection is one of this process, and counts.
		driver.hold.open = 1
		w.rest()
		if m := w.last(); m.State != messages.VMRunning || time.Since(m.Used) > time.Second {
			t.Errorf("%+v, want the use of a VM that runs", m)
		}
	})
}

func TestUsedVMKeepsRunning(t *testing.T) {
	inIdleWorld(t, func(w *world, driver *fakeIdler) {
		for _, used := range []time.Time{time.Now(), time.Now().Add(time.Second - idleTime), {}} {
			driver.with(func() { driver.used = used })
			w.rest()
			if m := w.last(); m.State != messages.VMRunning || !m.Used.Add(idleTime).After(time.Now()) {
				t.Errorf("last used %v: %+v", used, m)
			}
			w.ensure(1, true, lima)
		}
		if got := driver.history(); len(got) != 0 {
			t.Errorf("calls %q", got)
		}
	})
}

// Held connections are closed when the start fails, the engine is stopped for good, or the
// actor ends.
func TestHeldConnectionsClosed(t *testing.T) {
	for name, end := range map[string]func(w *world, driver *fakeIdler){
		"start fails": func(w *world, driver *fakeIdler) {
			driver.with(func() { driver.startErr = errors.New("no space") })
			w.ensure(2, true, lima)
			w.sleep(2 * time.Second)
			if m := w.last(); !strings.Contains(m.Message, "no space") {
				t.Errorf("%+v, want the reason", m)
			}
		},
		"stop":      func(w *world, _ *fakeIdler) { w.ensure(2, false, lima) },
		"actor end": func(w *world, _ *fakeIdler) { w.stopActor(); w.spawn() },
	} {
		t.Run(name, func(t *testing.T) {
			inIdleWorld(t, func(w *world, driver *fakeIdler) {
				w.rest()
				w.sleep(time.Minute)
				if driver.hold.closed.Load() || w.last().State != messages.VMStopped {
					t.Errorf("%+v", w.last())
				}
				end(w, driver)
				if !driver.hold.closed.Load() || driver.hold.forwarded.Load() {
					t.Errorf("%+v, want closed", driver.hold)
				}
			})
		})
	}
}

// A new daemon holds the connections again. A VM that runs although it should be stopped
// may be in use.
func TestIdleVMAfterRestart(t *testing.T) {
	inIdleWorld(t, func(w *world, driver *fakeIdler) {
		w.rest()
		w.sleep(time.Minute)
		w.stopActor()
		w.spawn()
		w.rest()
		if m := w.last(); m.State != messages.VMStopped || !m.Used.IsZero() {
			t.Errorf("%+v", m)
		}
		if got := driver.history(); len(got) != 3 || got[2] != "hold" {
			t.Errorf("calls %q", got)
		}
		w.stopActor()
		driver.put(Present, lima)
		w.spawn()
		w.rest()
		if m := w.last(); time.Since(m.Used) > time.Second || len(driver.history()) != 0 {
			t.Errorf("%+v", m)
		}
	})
}
