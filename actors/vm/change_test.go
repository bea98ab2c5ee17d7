package vm

import (
	"errors"
	"strings"
	"testing"
	"time"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

func TestAnotherSpecReplacesTheEngine(t *testing.T) {
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
			t.Errorf("told %+v", m)
		}
		w.ensure(4, false, remote)
		w.sleep(5 * time.Second)
		w.wantStates(starting, running, stopping, starting, running, stopping, starting, running, stopping, stopped)
	})
}

// A change that cannot be carried out costs nobody the engine, not even when the
// actor has to adopt it first.
func TestRefusedChangeKeepsTheEngine(t *testing.T) {
	inWorld(t, func(w *world) {
		spec := messages.VMSpec{Driver: appv1.DriverLima, Engine: appv1.EngineMoby}
		w.ensure(1, true, spec)
		w.sleep(2 * time.Second)
		w.lima.with(func() { w.lima.missing = errors.New("own.yaml: line 3 is odd") })
		spec.VM.Image = "/own.yaml"
		w.ensure(2, true, spec)
		kept := func() {
			t.Helper()
			if m := w.last(); m.State != running || m.Current || !m.Refused || m.Endpoint == "" ||
				!strings.Contains(m.Note, "goes on as it was") || !strings.Contains(m.Note, "line 3") {
				t.Errorf("told %+v", m)
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
		w.sleep(checkEvery + 5*time.Second)
		if m := w.last(); !m.Current || m.Refused || m.Note != "" {
			t.Errorf("told %+v", m)
		}
		w.wantStates(stopping, starting, running)
		if got := strings.Join(w.lima.history(), ", "); got != "start moby, start moby, stop, start moby" {
			t.Errorf("calls %q", got)
		}
	})
}

// Whoever waits for a start that no driver can carry out learns it at once; one
// that merely failed may work the next time.
func TestRefusedStartIsToldApartFromAFailedOne(t *testing.T) {
	inWorld(t, func(w *world) {
		spec := messages.VMSpec{Driver: appv1.DriverLima, Engine: appv1.EngineMoby}
		w.lima.with(func() { w.lima.missing = errors.New("there is no QEMU") })
		w.ensure(1, true, spec)
		w.sleep(time.Second)
		if m := w.last(); m.State != failed || !m.Refused || !strings.Contains(m.Message, "there is no QEMU") {
			t.Errorf("told %+v", m)
		}
		w.lima.with(func() { w.lima.missing, w.lima.startErr = nil, errors.New("no boot") })
		w.sleep(time.Minute)
		if m := w.last(); m.Refused || !strings.Contains(m.Message, "no boot") {
			t.Errorf("told %+v", m)
		}
	})
}

func TestVMPropertiesChangeByARestart(t *testing.T) {
	inWorld(t, func(w *world) {
		spec := messages.VMSpec{Driver: appv1.DriverLima, Engine: appv1.EngineMoby, VM: messages.VMProperties{CPUs: 1}}
		w.ensure(1, true, spec)
		w.sleep(2 * time.Second)
		w.states()
		spec.VM.CPUs = 2
		w.ensure(2, true, spec)
		if m := w.last(); m.Current {
			t.Errorf("told %+v", m)
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

// Who asks again after having mended the reason of a refusal is answered from a
// look that began after that, and not from the one of before.
func TestAskingAgainLooksAgainAtOnce(t *testing.T) {
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
				t.Fatalf("told %+v", w.last())
			}
			// Asked in the middle of a look that began before the reason was mended.
			w.lima.with(func() { w.lima.lookTime = 5 * time.Second })
			w.ensure(3, true, twoCPUs(lima))
			w.sleep(time.Second)
			w.lima.with(func() { w.lima.lookTime, w.lima.missing = 0, nil })
			w.ensure(4, true, twoCPUs(lima))
			for range 10 {
				if m := w.last(); m.Generation == 4 && m.Refused {
					t.Fatalf("told of before: %+v", m)
				}
				w.sleep(time.Second)
			}
			if m := w.last(); m.State != running || !m.Current {
				t.Errorf("told %+v", m)
			}
		})
	}
}

// Another driver that has become available would come up without the user's
// containers, so auto does not change to it by itself.
func TestAutoStaysThroughChangesAndRestarts(t *testing.T) {
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
			func() { // the disk went with a reset that did not get far
				w.lima.with(func() { w.lima.used = time.Time{} })
				w.lima.die()
			},
		}
		for i, step := range steps {
			step()
			w.sleep(5 * time.Second)
			if m := w.last(); m.State != running || m.Driver != appv1.DriverLima || !m.Current {
				t.Errorf("step %d: told %+v", i, m)
			}
		}
		w.wantCalls()
		// Who wants another one says so.
		w.ensure(7, true, native)
		w.sleep(5 * time.Second)
		w.wantCalls("start moby")
	})
}

func TestARefusedChangeIsLookedAtAtOnePace(t *testing.T) {
	inWorld(t, func(w *world) {
		w.ensure(1, true, lima)
		w.sleep(2 * time.Second)
		w.lima.with(func() { w.lima.missing = errors.New("there is no QEMU") })
		for generation := range int64(10) {
			w.ensure(2+generation, true, twoCPUs(lima))
			w.sleep(time.Second)
		}
		w.lima.with(func() { w.lima.looks = 0 })
		w.sleep(time.Hour)
		w.lima.with(func() {
			if want := int(time.Hour / checkEvery); w.lima.looks > want+1 || w.lima.looks < want-1 {
				t.Errorf("looked %d times in an hour", w.lima.looks)
			}
		})
	})
}
