package engine

import (
	"testing"
	"testing/synctest"
	"time"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine/memory"
)

// inSimulation runs a test on virtual time with a container of an image.
func inSimulation(t *testing.T, spec memory.ContainerSpec, test func(m *Model, id string)) {
	t.Helper()
	synctest.Test(t, func(*testing.T) {
		m := New("test")
		m.AddImage("app:1")
		spec.Image = "app:1"
		test(m, m.AddContainerSpec(spec))
	})
}

func TestVersionsKeepEveryState(t *testing.T) {
	inSimulation(t, memory.ContainerSpec{}, func(m *Model, id string) {
		for _, act := range []func(string) error{m.StartContainer, m.StartContainer, m.PauseContainer, m.UnpauseContainer, m.KillContainer} {
			if err := act(id); err != nil {
				t.Fatal(err)
			}
		}
		if err := m.RemoveContainer(id, false); err != nil {
			t.Fatal(err)
		}
		want := []containersv1.ContainerState{"created", "running", "paused", "running", "exited", ""}
		all := m.Versions(containersv1.KindContainer, id)
		for i, state := range want {
			if i >= len(all) || stateOf(all[i]) != state || i > 0 && all[i].Serial <= all[i-1].Serial {
				t.Fatalf("version %d of %+v is not %q", i, all, state)
			}
		}
		if len(all) != len(want) {
			t.Errorf("%d versions, want %d", len(all), len(want))
		}
	})
}

func stateOf(v Version) containersv1.ContainerState {
	if v.Object == nil {
		return ""
	}
	return v.Object.(*containersv1.Container).Status.Status
}

func TestVersionsOfMovedTag(t *testing.T) {
	m := New("test")
	one, two := m.AddImage("app:1"), m.AddImage("app:2")
	if err := m.Tag(two, "app:1"); err != nil {
		t.Fatal(err)
	}
	for name, present := range map[string]bool{
		containersv1.ImageResourceName(one, "app:1"): false, containersv1.ImageResourceName(one, ""): true,
		containersv1.ImageResourceName(two, "app:1"): true, containersv1.ImageResourceName(two, "app:2"): true,
	} {
		all := m.Versions(containersv1.KindImage, name)
		if len(all) == 0 || (all[len(all)-1].Object != nil) != present {
			t.Errorf("%s: %+v, want present %t", name, all, present)
		}
	}
}

func TestWasInCountsOnlyStatesSince(t *testing.T) {
	inSimulation(t, memory.ContainerSpec{}, func(m *Model, id string) {
		step := func(act func(string) error) time.Time {
			time.Sleep(time.Second)
			if err := act(id); err != nil {
				t.Fatal(err)
			}
			return time.Now()
		}
		created := time.Now()
		started := step(m.StartContainer)
		killed := step(m.KillContainer)
		time.Sleep(time.Second)
		for _, tc := range []struct {
			running bool
			since   time.Time
			want    bool
		}{
			{true, created, true}, {true, started, true}, {true, killed, true}, {true, killed.Add(1), false},
			{false, created, true}, {false, started.Add(1), true}, {false, time.Now(), true},
		} {
			if got := m.WasIn(id, tc.running, tc.since); got != tc.want {
				t.Errorf("running %t since %s: %t", tc.running, tc.since, got)
			}
		}
		if m.WasAbsent(containersv1.KindContainer, id, created) {
			t.Error("the container was there all the time")
		}
		m.Wipe()
		if !m.WasIn(id, true, time.Now()) || !m.WasAbsent(containersv1.KindContainer, id, created) {
			t.Error("the container is gone")
		}
	})
}

func TestSilentStatesHaveNoEvent(t *testing.T) {
	for name, tc := range map[string]struct {
		spec   memory.ContainerSpec
		act    func(*Model, string)
		silent bool
	}{
		"failed start":                    {memory.ContainerSpec{StartError: "no"}, start, false},
		"failed start without network":    {memory.ContainerSpec{StartError: "no", NoNetwork: true}, start, true},
		"failed start with a volume":      {memory.ContainerSpec{StartError: "no", NoNetwork: true, Volumes: []string{"vol"}}, start, false},
		"removal of a stopped one":        {memory.ContainerSpec{}, func(m *Model, id string) { _, _ = m.FailRemoval(id) }, true},
		"removal of a running one":        {memory.ContainerSpec{}, func(m *Model, id string) { start(m, id); _, _ = m.FailRemoval(id) }, false},
		"failed removal of a stopped one": {memory.ContainerSpec{}, failRemoval, true},
	} {
		t.Run(name, func(t *testing.T) {
			inSimulation(t, tc.spec, func(m *Model, id string) {
				before := m.EventCount()
				tc.act(m, id)
				all := m.Versions(containersv1.KindContainer, id)
				if last := all[len(all)-1]; last.Silent != tc.silent || len(all) < 2 {
					t.Errorf("the last version is %+v", last)
				}
				if tc.silent != (m.EventCount() == before) {
					t.Errorf("%d events", m.EventCount()-before)
				}
			})
		})
	}
}

func start(m *Model, id string) { _ = m.StartContainer(id) }

func failRemoval(m *Model, id string) {
	if fail, err := m.FailRemoval(id); err == nil {
		fail()
	}
}

func TestModelRefusesUsedObjects(t *testing.T) {
	m := New("test")
	m.AddImage("app:1")
	id := m.AddContainerSpec(memory.ContainerSpec{Image: "app:1", Volumes: []string{"vol"}, StartError: "no"})
	check := func(used bool) {
		t.Helper()
		for _, mirror := range m.Mirrors() {
			want := used || mirror.MirrorKind() == containersv1.KindNetwork // these are predefined
			if c, ok := mirror.(*containersv1.Container); ok {
				c.Spec.State = containersv1.StateRunning
			}
			isFree := !want && mirror.MirrorKind() != containersv1.KindContainer
			if m.Refuses(mirror) != want || m.IsFree(mirror) != isFree {
				t.Errorf("%s %s: refused %t, free %t", mirror.MirrorKind(), mirror.GetName(), m.Refuses(mirror), m.IsFree(mirror))
			}
		}
	}
	check(true)
	if err := m.RemoveContainer(id, true); err != nil {
		t.Fatal(err)
	}
	check(false)
}
