package vm

import (
	"errors"
	"strings"
	"testing"
	"time"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

func TestOtherSpecReplacesEngine(t *testing.T) {
	inWorld(t, func(w *world) {
		w.ensure(1, true, auto)
		w.sleep(2 * time.Second)
		w.ensure(2, true, containerd)
		w.sleep(5 * time.Second)
		w.wantCalls("start moby", "stop", "start containerd")
		w.ensure(3, true, remote)
		w.sleep(5 * time.Second)
		w.wantCalls("stop")
		if m := w.last(); m.State != running || m.Driver != appv1.DriverExternal || !m.Current {
			t.Errorf("last VMChanged: %+v", m)
		}
		w.ensure(4, false, remote)
		w.sleep(5 * time.Second)
		w.wantStates(starting, running, stopping, starting, running, stopping, starting, running, stopping, stopped)
	})
}

// A change that cannot be applied leaves the engine running, also if a restarted
// actor has to adopt it first.
func TestRefusedChangeKeepsEngine(t *testing.T) {
	inWorld(t, func(w *world) {
		spec := messages.VMSpec{Driver: appv1.DriverLima, Engine: appv1.EngineMoby}
		w.ensure(1, true, spec)
		w.sleep(2 * time.Second)
		w.lima.with(func() { w.lima.missing = errors.New("own.yaml: line 3 is wrong") })
		spec.VM.Image = "/own.yaml"
		w.ensure(2, true, spec)
		kept := func() {
			t.Helper()
			if m := w.last(); m.State != running || m.Current || !m.Refused || m.Endpoint == "" ||
				!strings.Contains(m.Note, "the engine is unchanged") || !strings.Contains(m.Note, "line 3") {
				t.Errorf("last VMChanged: %+v", m)
			}
		}
		kept()
		w.sleep(time.Hour)
		kept()
		w.stopActor()
		w.spawn()
		w.ensure(2, true, spec)
		w.sleep(2 * time.Second)
		kept()
		w.states()
		w.lima.with(func() { w.lima.missing = nil })
		w.sleep(recheckInterval + 5*time.Second)
		if m := w.last(); !m.Current || m.Refused || m.Note != "" {
			t.Errorf("last VMChanged: %+v", m)
		}
		w.wantStates(stopping, starting, running)
		if got := strings.Join(w.lima.history(), ", "); got != "start moby, start moby, stop, start moby" {
			t.Errorf("calls %q", got)
		}
	})
}

// A start that no driver can make is refused. A start that failed can succeed later.
func TestRefusedStartDiffersFromFailed(t *testing.T) {
	inWorld(t, func(w *world) {
		spec := messages.VMSpec{Driver: appv1.DriverLima, Engine: appv1.EngineMoby}
		w.lima.with(func() { w.lima.missing = errors.New("there is no QEMU") })
		w.ensure(1, true, spec)
		w.sleep(time.Second)
		if m := w.last(); m.State != failed || !m.Refused || !strings.Contains(m.Message, "there is no QEMU") {
			t.Errorf("last VMChanged: %+v", m)
		}
		w.lima.with(func() { w.lima.missing, w.lima.startErr = nil, errors.New("no boot") })
		w.sleep(time.Minute)
		if m := w.last(); m.Refused || !strings.Contains(m.Message, "no boot") {
			t.Errorf("last VMChanged: %+v", m)
		}
	})
}

func TestVMPropertiesChangeWithRestart(t *testing.T) {
	inWorld(t, func(w *world) {
		spec := messages.VMSpec{Driver: appv1.DriverLima, Engine: appv1.EngineMoby, VM: messages.VMProperties{CPUs: 1}}
		w.ensure(1, true, spec)
		w.sleep(2 * time.Second)
		w.states()
		spec.VM.CPUs = 2
		w.ensure(2, true, spec)
		if m := w.last(); m.Current {
			t.Errorf("last VMChanged: %+v", m)
		}
		w.sleep(5 * time.Second)
		w.wantStates(running, stopping, starting, running)
		w.stopActor()
		w.spawn()
		w.states()
		spec.VM.Restart = "now"
		w.ensure(3, true, spec)
		w.sleep(5 * time.Second)
		w.wantStates(starting, stopping, starting, running)
		if got := w.lima.history(); strings.Join(got, ", ") != "start moby, stop, start moby, stop, start moby" {
			t.Errorf("calls %q", got)
		}
	})
}

// A user fixes the cause of a refusal and retries. The answer comes from a check that
// began after the retry.
func TestRetryOfRefusedChangeChecksAgain(t *testing.T) {
	for _, attached := range []bool{false, true} {
		inWorld(t, func(w *world) {
			if attached {
				w.ensure(1, true, lima)
				w.sleep(2 * time.Second)
			}
			w.lima.with(func() { w.lima.missing = errors.New("there is no QEMU") })
			w.ensure(2, true, twoCPUs(lima))
			w.sleep(10 * time.Minute)
			if !w.last().Refused {
				t.Fatalf("last VMChanged: %+v", w.last())
			}
			// This check begins before the cause is fixed.
			w.lima.with(func() { w.lima.availableTime = 5 * time.Second })
			w.ensure(3, true, twoCPUs(lima))
			w.sleep(time.Second)
			w.lima.with(func() { w.lima.availableTime, w.lima.missing = 0, nil })
			w.ensure(4, true, twoCPUs(lima))
			for range 10 {
				if m := w.last(); m.Generation == 4 && m.Refused {
					t.Fatalf("answer of the earlier check: %+v", m)
				}
				w.sleep(time.Second)
			}
			if m := w.last(); m.State != running || !m.Current {
				t.Errorf("last VMChanged: %+v", m)
			}
		})
	}
}

// Another driver that becomes available would start without the user's containers, so
// auto does not switch to it.
func TestAutoKeepsDriverAfterChangeAndRestart(t *testing.T) {
	inWorld(t, func(w *world) {
		w.native.with(func() { w.native.missing = errors.New("no dockerd is installed") })
		w.ensure(1, true, auto)
		w.sleep(2 * time.Second)
		w.native.with(func() { w.native.missing = nil })
		steps := []func(){
			func() { w.ensure(2, true, twoCPUs(auto)) },
			func() {
				w.ensure(3, false, twoCPUs(auto))
				w.sleep(5 * time.Second)
				w.ensure(4, true, twoCPUs(auto))
			},
			func() {
				w.ensure(5, false, auto)
				w.sleep(5 * time.Second)
				w.stopActor()
				w.spawn()
				w.ensure(6, true, auto)
			},
			func() { // a reset removed the disk and then failed
				w.lima.with(func() { w.lima.used = time.Time{} })
				w.lima.die()
			},
		}
		for i, step := range steps {
			step()
			w.sleep(5 * time.Second)
			if m := w.last(); m.State != running || m.Driver != appv1.DriverLima || !m.Current {
				t.Errorf("step %d: last VMChanged: %+v", i, m)
			}
		}
		w.wantCalls()
		// An explicit driver replaces it.
		w.ensure(7, true, native)
		w.sleep(5 * time.Second)
		w.wantCalls("start moby")
	})
}

func TestRefusedChangeIsCheckedAtOneInterval(t *testing.T) {
	inWorld(t, func(w *world) {
		w.ensure(1, true, lima)
		w.sleep(2 * time.Second)
		w.lima.with(func() { w.lima.missing = errors.New("there is no QEMU") })
		for generation := range int64(10) {
			w.ensure(2+generation, true, twoCPUs(lima))
			w.sleep(time.Second)
		}
		w.lima.with(func() { w.lima.checks = 0 })
		w.sleep(time.Hour)
		w.lima.with(func() {
			if want := int(time.Hour / recheckInterval); w.lima.checks > want+1 || w.lima.checks < want-1 {
				t.Errorf("%d checks in an hour", w.lima.checks)
			}
		})
	})
}
