package vm

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/failuretext"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

const (
	stopped  = messages.VMStopped
	starting = messages.VMStarting
	running  = messages.VMRunning
	stopping = messages.VMStopping
	failed   = messages.VMFailed
)

func TestStartAndStop(t *testing.T) {
	inWorld(t, func(w *world) {
		w.ensure(1, true, auto)
		w.sleep(2 * time.Second)
		m := w.last()
		if m.Generation != 1 || !m.Desired || !m.Current || m.Driver != appv1.DriverNative || m.Endpoint != "unix:///native" ||
			!strings.Contains(m.DriverReason, "auto picked native: it is a fake") {
			t.Errorf("last VMChanged: %+v", m)
		}
		w.wantStates(starting, running)
		w.ensure(2, false, auto)
		w.sleep(2 * time.Second)
		if m := w.last(); m.Generation != 2 || m.Desired || m.Driver != "" || m.Endpoint != "" {
			t.Errorf("last VMChanged: %+v", m)
		}
		w.wantStates(stopping, stopped)
		w.wantCalls("start moby", "stop")
	})
}

func TestEachEnsureVMIsAnswered(t *testing.T) {
	inWorld(t, func(w *world) {
		w.ensure(1, true, auto)
		w.sleep(2 * time.Second)
		w.states()
		for range 3 {
			w.ensure(1, true, auto)
			w.wantStates(running)
		}
		w.wantCalls("start moby")
	})
}

func TestStopCancelsStart(t *testing.T) {
	inWorld(t, func(w *world) {
		w.native.startTime = time.Minute
		w.ensure(1, true, auto)
		w.sleep(time.Second)
		w.ensure(2, false, auto)
		w.sleep(2 * time.Second)
		w.wantStates(starting, stopping, stopped)
		w.wantCalls("start moby", "start cancelled")
	})
}

func TestStartDuringStopFollowsStop(t *testing.T) {
	inWorld(t, func(w *world) {
		w.ensure(1, true, auto)
		w.sleep(2 * time.Second)
		w.ensure(2, false, auto)
		w.ensure(3, true, auto)
		w.sleep(5 * time.Second)
		w.wantStates(starting, running, stopping, starting, running)
		w.wantCalls("start moby", "stop", "start moby")
	})
}

func TestStoppedActorLeavesEngineRunning(t *testing.T) {
	inWorld(t, func(w *world) {
		w.ensure(1, true, auto)
		w.sleep(2 * time.Second)
		w.native.stopTime = time.Hour
		w.ensure(2, false, auto)
		before := time.Now()
		w.stopActor()
		if took := time.Since(before); took > 0 {
			t.Errorf("stopping the actor took %s", took)
		}
		w.states()
		w.spawn()
		w.native.stopTime = time.Second
		w.ensure(3, true, auto)
		w.sleep(2 * time.Second)
		if m := w.last(); m.State != running || !strings.Contains(m.DriverReason, "already running") {
			t.Errorf("after the next actor started: %+v", m)
		}
	})
}

func TestFirstStopStopsEngineOfAnyDriver(t *testing.T) {
	for _, presence := range []Presence{Present, Broken} {
		inWorld(t, func(w *world) {
			w.native.put(presence, containerd)
			w.ensure(1, false, remote)
			w.wantStates(stopping)
			w.sleep(2 * time.Second)
			w.wantStates(stopping, stopped)
			w.wantCalls("stop")
		})
	}
}

func TestEngineEndIsReportedAndRecovered(t *testing.T) {
	inWorld(t, func(w *world) {
		w.ensure(1, true, auto)
		w.sleep(2 * time.Second)
		w.native.die()
		synctest.Wait()
		m := w.last()
		if m.State != failed || m.Endpoint != "" || m.Retry.IsZero() || !strings.Contains(m.Message, "the engine ended unexpectedly") || !strings.Contains(m.Message, "boom") {
			t.Errorf("last VMChanged: %+v", m)
		}
		w.sleep(5 * time.Second)
		w.wantStates(starting, running, failed, starting, running)
		w.wantCalls("start moby", "start moby")
	})
}

func TestCrashLoopBacksOff(t *testing.T) {
	inWorld(t, func(w *world) {
		w.native.startErr = errors.New("no way")
		w.ensure(1, true, auto)
		w.sleep(time.Hour)
		tries := len(w.native.history())
		// At the ceiling a try takes 1 s and the pause 22.5 to 30 s.
		if tries < 3600/31 || tries > 3600/23+6 {
			t.Errorf("%d tries in an hour", tries)
		}
		if m := w.last(); m.State != starting && (m.State != failed || !strings.Contains(m.Message, "(attempt ") || m.State == failed && m.Failure != "starting the engine failed: no way") {
			t.Errorf("last VMChanged: %+v", m)
		}
		w.native.with(func() { w.native.startErr = nil })
		w.sleep(time.Minute)
		if m := w.last(); m.State != running {
			t.Errorf("last VMChanged: %+v", m)
		}
	})
}

func TestLongHealthyRunResetsBackoff(t *testing.T) {
	inWorld(t, func(w *world) {
		w.ensure(1, true, auto)
		for _, pause := range []time.Duration{time.Minute, time.Minute, time.Minute, time.Hour} {
			w.sleep(pause)
			w.native.die()
			synctest.Wait()
		}
		if m := w.last(); !strings.Contains(m.Message, "(attempt 2)") || time.Until(m.Retry) > retryBackoff().Min {
			t.Errorf("last VMChanged: %+v", m)
		}
	})
}

func TestChangedDesiredStateEndsBackoff(t *testing.T) {
	inWorld(t, func(w *world) {
		w.native.startErr = errors.New("no way")
		w.ensure(1, true, native)
		w.sleep(10 * time.Minute)
		w.states()
		w.ensure(2, false, native)
		w.wantStates(stopping, stopped)
	})
}

func TestFailedStopIsRetried(t *testing.T) {
	inWorld(t, func(w *world) {
		w.ensure(1, true, auto)
		w.sleep(2 * time.Second)
		w.native.with(func() { w.native.stopErr = errors.New("busy") })
		w.ensure(2, false, auto)
		w.sleep(1100 * time.Millisecond)
		if m := w.last(); m.State != failed || m.Desired || !strings.Contains(m.Message, "busy") {
			t.Errorf("last VMChanged: %+v", m)
		}
		w.native.with(func() { w.native.stopErr = nil })
		w.sleep(time.Minute)
		w.wantStates(starting, running, stopping, failed, stopping, stopped)
	})
}

func TestHungEngineIsReportedAndRecovers(t *testing.T) {
	inWorld(t, func(w *world) {
		w.ensure(1, true, auto)
		w.sleep(2 * time.Second)
		w.native.with(func() { w.native.pingErr = errors.New("no answer") })
		w.sleep(4 * time.Second)
		w.wantStates(starting, running)
		w.sleep(3 * time.Second)
		if m := w.last(); m.State != failed || !m.Silent || m.Endpoint == "" || !strings.Contains(m.Message, "the process of the engine runs, but has not answered since") {
			t.Errorf("last VMChanged: %+v", m)
		}
		w.states()
		w.sleep(time.Hour)
		w.wantStates()
		w.native.with(func() { w.native.pingErr = nil })
		w.sleep(10 * time.Second)
		w.wantStates(running)
		w.wantCalls("start moby")
	})
}

func TestHungExternalEngineIsReported(t *testing.T) {
	inWorld(t, func(w *world) {
		w.ensure(1, true, remote)
		w.sleep(2 * time.Second)
		w.external.with(func() { w.external.pingErr = errors.New("no answer") })
		w.sleep(4 * time.Second)
		w.wantStates(starting, running)
		w.sleep(3 * time.Second)
		// rdd does not know its process, and cannot restart it.
		if m := w.last(); strings.Contains(m.Message, "process") || strings.Contains(m.Message, "kill") || strings.Contains(m.Message, "rdd stop") ||
			!strings.Contains(m.Message, "has not answered since") {
			t.Errorf("last VMChanged: %+v", m)
		}
		w.wantStates(failed)
		// Its recovery is detected as fast as that of a managed engine.
		w.external.with(func() { w.external.pingErr = nil })
		w.sleep(3 * time.Second)
		w.wantStates(running)
	})
}

// An engine crashes as soon as it runs, for an hour. The starts are bounded, and each
// message says how many times, why, and when the next retry is.
func TestRepeatedCrashesAreBoundedAndReported(t *testing.T) {
	inWorld(t, func(w *world) {
		w.ensure(1, true, auto)
		for elapsed := time.Duration(0); elapsed < time.Hour; elapsed += time.Second {
			w.sleep(time.Second)
			if w.native.runs() {
				w.native.die()
				synctest.Wait()
			}
			switch m := w.last(); {
			case elapsed < 10*time.Second:
			case m.State == failed:
				if !strings.HasPrefix(m.Message, "the engine ended unexpectedly: it crashed") || !strings.Contains(m.Message, "\nrdd retries at ") || !strings.Contains(m.Message, "(attempt ") || m.Retry.IsZero() {
					t.Fatalf("last VMChanged: %+v", m)
				}
			case m.State == starting:
				if !strings.Contains(m.Message, "previous error: the engine ended unexpectedly: it crashed") {
					t.Fatalf("last VMChanged: %+v", m)
				}
			}
		}
		// At the ceiling a run takes 1 to 2 s and the pause 22.5 to 30 s.
		if starts := len(w.native.history()); starts < 3600/32 || starts > 3600/23+6 {
			t.Errorf("%d starts in an hour", starts)
		}
	})
}

// The first retry begins within half a second. The message keeps the log lines of the
// previous error, which a user needs to find the cause.
func TestStartRetryMessageKeepsPreviousError(t *testing.T) {
	inWorld(t, func(w *world) {
		w.native.startErr = errors.New("no way\nthe last lines of the console:\n  [ OK ] Reached target")
		w.ensure(1, true, auto)
		for elapsed := time.Duration(0); elapsed < time.Minute; elapsed += 100 * time.Millisecond {
			w.sleep(100 * time.Millisecond)
			m := w.last()
			if elapsed < 2*time.Second {
				continue
			}
			now, reason := failuretext.Split(m.Message)
			if now == "" || !strings.Contains(reason, "failed: no way") || !strings.Contains(reason, "[ OK ] Reached target") {
				t.Fatalf("last VMChanged: %+v", m)
			}
		}
	})
}

func TestNotesAreReported(t *testing.T) {
	inWorld(t, func(w *world) {
		w.native.with(func() { w.native.pingNote, w.native.stopNote = "its disk is full", "force was needed" })
		w.ensure(1, true, auto)
		w.sleep(time.Second) // the duration of the start; the first ping is at once
		if m := w.last(); m.State != running || m.Note != "its disk is full" {
			t.Errorf("last VMChanged: %+v", m)
		}
		w.native.with(func() { w.native.pingNote = "" })
		w.sleep(pingInterval)
		if m := w.last(); m.State != running || m.Note != "" {
			t.Errorf("last VMChanged: %+v", m)
		}
		w.ensure(2, false, auto)
		w.sleep(time.Second)
		if m := w.last(); m.State != stopped || m.Note != "force was needed" {
			t.Errorf("last VMChanged: %+v", m)
		}
		w.ensure(3, true, auto)
		w.sleep(2 * time.Second)
		w.native.with(func() { w.native.stopNote = "" })
		w.ensure(4, false, auto)
		w.sleep(2 * time.Second)
		if m := w.last(); m.State != stopped || m.Note != "" {
			t.Errorf("last VMChanged: %+v", m)
		}
	})
}

func TestHungStartEndsAtDeadline(t *testing.T) {
	inWorld(t, func(w *world) {
		w.native.startTime = 24 * time.Hour
		w.ensure(1, true, auto)
		w.sleep(w.native.StartWithin(auto) + startSlack)
		if m := w.last(); m.State != failed {
			t.Errorf("last VMChanged: %+v", m)
		}
	})
}

func TestAutoReportsReasonOfEachDriver(t *testing.T) {
	inWorld(t, func(w *world) {
		w.native.missing = errors.New("no dockerd is installed")
		w.lima.missing = errors.New("no QEMU is installed")
		w.ensure(1, true, auto)
		w.sleep(2 * time.Second)
		if m := w.last(); m.Driver != appv1.DriverExternal {
			t.Errorf("last VMChanged: %+v", m)
		}
		w.external.missing = errors.New("there is no socket")
		w.ensure(2, false, auto)
		w.sleep(2 * time.Second)
		w.ensure(3, true, auto)
		if m := w.last(); m.State != failed || !strings.Contains(m.Message, "native: no dockerd is installed") ||
			!strings.Contains(m.Message, "lima: no QEMU is installed") || !strings.Contains(m.Message, "external: there is no socket") {
			t.Errorf("last VMChanged: %+v", m)
		}
	})
}

func TestCrashedActorRestartsAndAdopts(t *testing.T) {
	inWorld(t, func(w *world) {
		w.ensure(1, true, auto)
		w.mu.Lock()
		w.crash = true
		w.mu.Unlock()
		w.sleep(2 * time.Second)
		w.states()
		w.ensure(1, true, auto)
		w.sleep(2 * time.Second)
		if m := w.last(); m.State != running || !strings.Contains(m.DriverReason, "already running") {
			t.Errorf("last VMChanged: %+v", m)
		}
		w.wantCalls("start moby", "start moby")
	})
}

func TestReportFollowsState(t *testing.T) {
	inWorld(t, func(w *world) {
		w.ensure(1, true, auto)
		w.sleep(2 * time.Second)
		w.mu.Lock()
		defer w.mu.Unlock()
		if got, want := w.reported, []string{"Stopped", "Starting", "Running"}; !slices.Equal(got, want) {
			t.Errorf("reported %q, want %q", got, want)
		}
	})
}
