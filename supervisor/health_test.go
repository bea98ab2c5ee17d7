package supervisor

import (
	"fmt"
	"testing"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/dockersim"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance/instancetest"
)

// probes runs a probe in each container.
func probes(t *testing.T, sim *dockersim.Engine, ids []string, exitCode int, output string) {
	t.Helper()
	for _, id := range ids {
		if err := sim.Probe(id, exitCode, output); err != nil {
			t.Fatal(err)
		}
	}
}

// haveHealth waits until all containers have this health.
func (r *running) haveHealth(ids []string, want containersv1.ContainerHealth) {
	r.t.Helper()
	r.eventually("the health of all containers", func() error {
		mirrors := r.mirrors()
		for _, id := range ids {
			if got := mirrors["Container/"+id].(*containersv1.Container).Status.Health; got != want {
				return fmt.Errorf("container %.12s is %+v, want %+v", id, got, want)
			}
		}
		return nil
	})
}

// versions returns the resource versions of all mirrors.
func (r *running) versions() map[string]string {
	r.t.Helper()
	out := map[string]string{}
	for name, m := range r.mirrors() {
		out[name] = m.GetResourceVersion()
	}
	return out
}

func TestHealthProbesCostNoWrites(t *testing.T) {
	const inspection = "GET /containers/{id}/json"
	sim := dockersim.Start(t)
	sim.AddImage("app:1")
	var ids []string
	for i := range 50 {
		id := sim.AddContainerSpec(dockersim.ContainerSpec{Name: fmt.Sprint("c", i), Image: "app:1", HealthRetries: 3})
		ids = append(ids, id)
		if err := sim.StartContainer(id); err != nil {
			t.Fatal(err)
		}
	}
	r := start(t, instancetest.At(t, "test"))
	r.connect(sim)
	probes(t, sim, ids, 0, "ok")
	r.haveHealth(ids, containersv1.ContainerHealth{Status: containersv1.HealthHealthy, Output: "ok"})

	// Each probe has three events. The times in its log differ, which nothing shows.
	before, calls := r.versions(), sim.Calls(inspection)
	for range 20 {
		probes(t, sim, ids, 0, "ok")
	}
	marker := sim.AddVolumeSpec(dockersim.VolumeSpec{Name: "marker"})
	r.eventually("the event after all probes", func() error {
		if _, ok := r.mirrors()["Volume/"+containersv1.VolumeResourceName(marker)]; !ok {
			return fmt.Errorf("no mirror of the volume %s", marker)
		}
		return nil
	})
	if n := sim.Calls(inspection) - calls; n != 0 {
		t.Errorf("1000 probes that succeed cost %d inspections, want none", n)
	}
	for name, version := range r.versions() {
		if old, ok := before[name]; ok && old != version {
			t.Errorf("%s was written after probes that changed nothing", name)
		}
	}

	// A container that becomes unhealthy, and stays so, is written once.
	for range 20 {
		probes(t, sim, ids, 1, "down")
	}
	r.haveHealth(ids, containersv1.ContainerHealth{Status: containersv1.HealthUnhealthy, FailingStreak: 3, Output: "down"})
	after := r.versions()
	for range 20 {
		probes(t, sim, ids, 1, "down")
	}
	calls = sim.Calls(inspection)
	r.eventually("a reading of each container after failing probes", func() error {
		if n := sim.Calls(inspection) - calls; n < len(ids) {
			return fmt.Errorf("%d inspections", n)
		}
		return nil
	})
	r.exact(sim)
	for name, version := range r.versions() {
		if version != after[name] {
			t.Errorf("%s was written while it stayed unhealthy", name)
		}
		if name[0] == 'C' && version == before[name] {
			t.Errorf("%s was not written when it became unhealthy", name)
		}
	}
}
