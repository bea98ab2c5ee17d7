package machine

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/fate"
)

func moby(vm VM) Spec { return Spec{Engine: appv1.EngineMoby, VM: vm} }

// started returns a machine whose engine was started.
func started(t *testing.T, name appv1.DriverName) *Machine {
	t.Helper()
	m := New(fate.New(1), name)
	if err := m.Start(moby(VM{})); err != nil {
		t.Fatal(err)
	}
	return m
}

func TestStartRefusesOtherEngine(t *testing.T) {
	for name, tc := range map[string]struct {
		driver  appv1.DriverName
		remains Presence
		spec    Spec
		refused bool
	}{
		"same spec":                      {appv1.DriverNative, Present, moby(VM{}), false},
		"other engine":                   {appv1.DriverNative, Present, Spec{Engine: appv1.EngineContainerd}, true},
		"other VM":                       {appv1.DriverLima, Present, moby(VM{CPUs: 2}), true},
		"other VM without a VM":          {appv1.DriverNative, Present, moby(VM{CPUs: 2}), false},
		"other engine on a broken one":   {appv1.DriverNative, Broken, Spec{Engine: appv1.EngineContainerd}, true},
		"same engine on a broken one":    {appv1.DriverNative, Broken, moby(VM{}), false},
		"other engine on a stopped host": {appv1.DriverNative, Absent, Spec{Engine: appv1.EngineContainerd}, false},
	} {
		t.Run(name, func(t *testing.T) {
			m := started(t, tc.driver)
			if tc.remains != Present {
				m.End(tc.remains)
			}
			if err := m.Start(tc.spec); (err != nil) != tc.refused {
				t.Error(err)
			}
		})
	}
}

func TestNewDiskIsEmpty(t *testing.T) {
	m := started(t, appv1.DriverLima)
	m.Model.AddVolume("data")
	for _, tc := range []struct {
		reset   string
		volumes int
	}{{"", 1}, {"new", 0}} {
		m.End(Absent)
		if err := m.Start(moby(VM{Reset: tc.reset})); err != nil {
			t.Fatal(err)
		}
		if n := len(m.Model.VolumeNames()); n != tc.volumes {
			t.Errorf("%d volumes after reset %q, want %d", n, tc.reset, tc.volumes)
		}
	}
}

func TestEngineListensWhileItRuns(t *testing.T) {
	m := started(t, appv1.DriverNative)
	listens := func(want bool, when string) {
		t.Helper()
		if (m.Link.Down() == nil) != want {
			t.Errorf("%s: listens is not %t", when, want)
		}
	}
	listens(true, "after the start")
	m.CutOff()
	listens(false, "without the engine")
	m.Restore()
	listens(true, "with the engine again")
	m.CutOff()
	m.End(Absent)
	m.Restore()
	listens(false, "without the machine")
	if err := m.Start(Spec{Engine: appv1.EngineContainerd}); err != nil {
		t.Fatal(err)
	}
	listens(false, "with containerd")
}

func TestDriverFollowsMachine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, p := New(fate.New(1), appv1.DriverNative), fate.NewProcess()
		d := NewDriver(m, p)
		missing := errors.New("not installed")
		m.SetMissing(missing)
		if err := d.Available(t.Context()); !errors.Is(err, missing) {
			t.Error(err)
		}
		m.Calm()
		if err := d.Available(t.Context()); err != nil {
			t.Error(err)
		}
		if endpoint, err := d.Start(t.Context(), moby(VM{}), func(string) {}); err != nil || endpoint != m.Endpoint() {
			t.Error(endpoint, err)
		}
		if is, err := d.Inspect(t.Context()); err != nil || is.Presence != Present || is.Spec != moby(VM{}) {
			t.Errorf("%+v, %v", is, err)
		}
		time.AfterFunc(time.Minute, func() { m.End(Broken) })
		if err := d.Ping(t.Context()); err != nil {
			t.Error(err)
		}
		if err := d.Wait(t.Context()); err == nil {
			t.Error("the end of the engine is no error")
		}
		if err := d.Ping(t.Context()); err == nil {
			t.Error("an engine that has ended answers")
		}
		if err := d.Stop(t.Context()); err != nil || m.Presence() != Absent {
			t.Error(err, m.Presence())
		}
	})
}

func TestExternalMachineIsNotStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := New(fate.New(1), appv1.DriverExternal)
		d := NewDriver(m, fate.NewProcess())
		if err := d.Stop(t.Context()); err != nil || m.Link.Down() != nil || !m.Reachable() {
			t.Error(err, m.Link.Down())
		}
		if is, err := d.Inspect(t.Context()); err != nil || is.Presence != Absent {
			t.Errorf("%+v, %v", is, err)
		}
	})
}
