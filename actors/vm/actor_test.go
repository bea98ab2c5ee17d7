package vm

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
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
		if m.Generation != 1 || !m.Wanted || !m.Current || m.Driver != appv1.DriverNative || m.Endpoint != "unix:///native" ||
			!strings.Contains(m.DriverReason, "auto picked native: it is a fake") {
			t.Errorf("told %+v", m)
		}
		w.wantStates(starting, running)
		w.ensure(2, false, auto)
		w.sleep(2 * time.Second)
		if m := w.last(); m.Generation != 2 || m.Wanted || m.Driver != "" || m.Endpoint != "" {
			t.Errorf("told %+v", m)
		}
		w.wantStates(stopping, stopped)
		w.wantCalls("start moby", "stop")
	})
}

func TestEnsureIsAnsweredEachTime(t *testing.T) {
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

func TestStopDuringStartCancelsIt(t *testing.T) {
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

func TestStartDuringStopComesAfterIt(t *testing.T) {
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

func TestActorStopsAtOnceAndLeavesTheEngine(t *testing.T) {
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
		if m := w.last(); m.State != running || !strings.Contains(m.DriverReason, "already there") {
			t.Errorf("after another actor took over: %+v", m)
		}
	})
}

func TestFirstStopStopsALeftoverOfAnyDriver(t *testing.T) {
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

func TestDeathIsToldAndMended(t *testing.T) {
	inWorld(t, func(w *world) {
		w.ensure(1, true, auto)
		w.sleep(2 * time.Second)
		w.native.die()
		synctest.Wait()
		m := w.last()
		if m.State != failed || m.Endpoint != "" || m.Retry.IsZero() || !strings.Contains(m.Message, "the engine was lost") || !strings.Contains(m.Message, "boom") {
			t.Errorf("told %+v", m)
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
		if m := w.last(); m.State != starting && (m.State != failed || !strings.Contains(m.Message, "times in a row")) {
			t.Errorf("told %+v", m)
		}
		w.native.with(func() { w.native.startErr = nil })
		w.sleep(time.Minute)
		if m := w.last(); m.State != running {
			t.Errorf("told %+v", m)
		}
	})
}

func TestLongHealthyRunResetsTheBackoff(t *testing.T) {
	inWorld(t, func(w *world) {
		w.ensure(1, true, auto)
		for _, pause := range []time.Duration{time.Minute, time.Minute, time.Minute, time.Hour} {
			w.sleep(pause)
			w.native.die()
			synctest.Wait()
		}
		if m := w.last(); !strings.Contains(m.Message, "(once)") || time.Until(m.Retry) > retryBackoff().Min {
			t.Errorf("told %+v", m)
		}
	})
}

func TestChangedWishEndsTheWait(t *testing.T) {
	inWorld(t, func(w *world) {
		w.native.startErr = errors.New("no way")
		w.ensure(1, true, native)
		w.sleep(10 * time.Minute)
		w.states()
		w.ensure(2, false, native)
		w.wantStates(stopping, stopped)
	})
}

func TestFailedStopIsTriedAgain(t *testing.T) {
	inWorld(t, func(w *world) {
		w.ensure(1, true, auto)
		w.sleep(2 * time.Second)
		w.native.with(func() { w.native.stopErr = errors.New("it clings") })
		w.ensure(2, false, auto)
		w.sleep(1100 * time.Millisecond)
		if m := w.last(); m.State != failed || m.Wanted || !strings.Contains(m.Message, "it clings") {
			t.Errorf("told %+v", m)
		}
		w.native.with(func() { w.native.stopErr = nil })
		w.sleep(time.Minute)
		w.wantStates(starting, running, stopping, failed, stopping, stopped)
	})
}

func TestHungEngineIsToldAndComesBack(t *testing.T) {
	inWorld(t, func(w *world) {
		w.ensure(1, true, auto)
		w.sleep(2 * time.Second)
		w.native.with(func() { w.native.pingErr = errors.New("no answer") })
		w.sleep(4 * time.Second)
		w.wantStates(starting, running)
		w.sleep(3 * time.Second)
		if m := w.last(); m.State != failed || !m.Silent || m.Endpoint == "" || !strings.Contains(m.Message, "is alive but has not answered since") {
			t.Errorf("told %+v", m)
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

func TestForeignEngineThatHangsIsReported(t *testing.T) {
	inWorld(t, func(w *world) {
		w.ensure(1, true, remote)
		w.sleep(2 * time.Second)
		w.external.with(func() { w.external.pingErr = errors.New("no answer") })
		w.sleep(4 * time.Second)
		w.wantStates(starting, running)
		w.sleep(3 * time.Second)
		// Nobody has looked whether it is alive, and rdd could not start it afresh.
		if m := w.last(); strings.Contains(m.Message, "alive") || strings.Contains(m.Message, "kill") || strings.Contains(m.Message, "afresh") ||
			!strings.Contains(m.Message, "has not answered since") {
			t.Errorf("told %+v", m)
		}
		w.wantStates(failed)
		// Once it answers again, that is seen as soon as with one of rdd's own.
		w.external.with(func() { w.external.pingErr = nil })
		w.sleep(3 * time.Second)
		w.wantStates(running)
	})
}

// An engine that dies as soon as it runs, for an hour: the starts are bounded,
// and at any time a user reads how often, why, and when next.
func TestEngineThatDiesAgainAndAgain(t *testing.T) {
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
				if !strings.Contains(m.Message, "times in a row): it crashed") || m.Retry.IsZero() {
					t.Fatalf("told %+v", m)
				}
			case m.State == starting:
				if !strings.Contains(m.Message, "before: the engine was lost: it crashed") {
					t.Fatalf("told %+v", m)
				}
			}
		}
		// At the ceiling a run takes 1 to 2 s and the pause 22.5 to 30 s.
		if starts := len(w.native.history()); starts < 3600/32 || starts > 3600/23+6 {
			t.Errorf("%d starts in an hour", starts)
		}
	})
}

// The last words of a guest that did not come up are what a user needs to see
// what is wrong, and the first retry begins within half a second.
func TestAFailureIsToldAtLengthDuringTheNextTry(t *testing.T) {
	inWorld(t, func(w *world) {
		w.native.startErr = errors.New("no way\nthe last lines of the console:\n  [ OK ] Reached target")
		w.ensure(1, true, auto)
		for elapsed := time.Duration(0); elapsed < time.Minute; elapsed += 100 * time.Millisecond {
			w.sleep(100 * time.Millisecond)
			m := w.last()
			if elapsed < 2*time.Second {
				continue
			}
			first, rest, _ := strings.Cut(m.Message, "\n")
			if !strings.Contains(first, "no way") || !strings.Contains(rest, "[ OK ] Reached target") {
				t.Fatalf("told %+v", m)
			}
		}
	})
}

func TestNotesAreTold(t *testing.T) {
	inWorld(t, func(w *world) {
		w.native.with(func() { w.native.pingNote, w.native.stopNote = "its disk is full", "force was needed" })
		w.ensure(1, true, auto)
		w.sleep(time.Second) // that the start takes: a running engine is asked at once
		if m := w.last(); m.State != running || m.Note != "its disk is full" {
			t.Errorf("told %+v", m)
		}
		w.native.with(func() { w.native.pingNote = "" })
		w.sleep(pingEvery)
		if m := w.last(); m.State != running || m.Note != "" {
			t.Errorf("told %+v", m)
		}
		w.ensure(2, false, auto)
		w.sleep(time.Second)
		if m := w.last(); m.State != stopped || m.Note != "force was needed" {
			t.Errorf("told %+v", m)
		}
		w.ensure(3, true, auto)
		w.sleep(2 * time.Second)
		w.native.with(func() { w.native.stopNote = "" })
		w.ensure(4, false, auto)
		w.sleep(2 * time.Second)
		if m := w.last(); m.State != stopped || m.Note != "" {
			t.Errorf("told %+v", m)
		}
	})
}

func TestHungStartHasADeadline(t *testing.T) {
	inWorld(t, func(w *world) {
		w.native.startTime = 24 * time.Hour
		w.ensure(1, true, auto)
		w.sleep(w.native.StartWithin(auto) + startSlack)
		if m := w.last(); m.State != failed {
			t.Errorf("told %+v", m)
		}
	})
}

func TestAutoNamesEveryReason(t *testing.T) {
	inWorld(t, func(w *world) {
		w.native.missing = errors.New("no dockerd is installed")
		w.lima.missing = errors.New("no QEMU is installed")
		w.ensure(1, true, auto)
		w.sleep(2 * time.Second)
		if m := w.last(); m.Driver != appv1.DriverExternal {
			t.Errorf("told %+v", m)
		}
		w.external.missing = errors.New("there is no socket")
		w.ensure(2, false, auto)
		w.sleep(2 * time.Second)
		w.ensure(3, true, auto)
		if m := w.last(); m.State != failed || !strings.Contains(m.Message, "native: no dockerd is installed") ||
			!strings.Contains(m.Message, "lima: no QEMU is installed") || !strings.Contains(m.Message, "external: there is no socket") {
			t.Errorf("told %+v", m)
		}
	})
}

func TestCrashedActorStartsEmptyAndAdopts(t *testing.T) {
	inWorld(t, func(w *world) {
		w.ensure(1, true, auto)
		w.mu.Lock()
		w.crash = true
		w.mu.Unlock()
		w.sleep(2 * time.Second)
		w.states()
		w.ensure(1, true, auto)
		w.sleep(2 * time.Second)
		if m := w.last(); m.State != running || !strings.Contains(m.DriverReason, "already there") {
			t.Errorf("told %+v", m)
		}
		w.wantCalls("start moby", "start moby")
	})
}

func TestReportFollowsTheState(t *testing.T) {
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
