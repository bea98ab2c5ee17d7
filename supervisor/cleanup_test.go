package supervisor

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/dockersim"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine/docker"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance/instancetest"
)

// hold adds a foreign finalizer to the mirror of a volume, or removes it.
func (r *running) hold(name string, held bool) {
	r.t.Helper()
	v := &containersv1.Volume{}
	v.Name, v.Namespace = name, appv1.DefaultNamespace
	if err := r.Get(r.t.Context(), client.ObjectKeyFromObject(v), v); err != nil {
		r.t.Fatal(err)
	}
	before := client.MergeFrom(v.DeepCopy())
	v.Finalizers = nil
	if held {
		v.Finalizers = []string{containersv1.Finalizer, "example.com/hold"}
	}
	if err := r.Patch(r.t.Context(), v, before); err != nil {
		r.t.Fatal(err)
	}
}

// waitsForMirrors waits until the App waits at this generation for mirrors that are
// to be removed, and for nothing else.
func (r *running) waitsForMirrors(generation int64) {
	r.t.Helper()
	r.eventually("the App to wait for the mirrors", func() error {
		app := &appv1.App{}
		if err := r.Get(r.t.Context(), client.ObjectKey{Name: appv1.AppName}, app); err != nil {
			return err
		}
		settled := meta.FindStatusCondition(app.Status.Conditions, appv1.ConditionSettled)
		if settled == nil || settled.ObservedGeneration != generation {
			return fmt.Errorf("generation %d: %+v", generation, settled)
		}
		if settled.Status == metav1.ConditionTrue {
			r.t.Fatalf("Settled although a mirror is left: %+v", settled)
		}
		if !strings.Contains(settled.Message, "the mirrors to be removed") {
			return fmt.Errorf("waits for something else: %+v", settled)
		}
		return nil
	})
}

// Row I5.
func TestCleanupSurvivesRestart(t *testing.T) {
	sim := dockersim.Start(t)
	sim.Populate(5, 5, 5)
	inst := instancetest.At(t, "test")
	r := start(t, inst)
	r.connect(sim)
	held := containersv1.VolumeResourceName(sim.VolumeNames()[0])
	r.hold(held, true)
	r.change(func(s *appv1.AppSpec) { s.Running = false })
	onlyHeld := func() error {
		if left := r.mirrors(); len(left) != 1 || left["Volume/"+held] == nil {
			return fmt.Errorf("%d mirrors are left, want only the held one", len(left))
		}
		return nil
	}
	r.eventually("the other mirrors to be removed", onlyHeld)
	// An answer to a later change is not one of the time when mirrors were removed.
	generation := r.change(func(s *appv1.AppSpec) { s.VM.CPUs = 3 })
	r.waitsForMirrors(generation)
	r.end(true)

	r = start(t, inst)
	generation = r.change(func(s *appv1.AppSpec) { s.VM.CPUs = 4 })
	r.waitsForMirrors(generation)
	r.eventually("only the held mirror to be left", onlyHeld)
	r.hold(held, false)
	r.settled(generation)
	if left := r.mirrors(); len(left) != 0 {
		t.Errorf("%d mirrors are left", len(left))
	}
	if n := len(sim.VolumeNames()); n != 5 {
		t.Errorf("the engine has %d volumes left, want all 5", n)
	}
}

// Row I6.
func TestStateAppliedDuringFullSync(t *testing.T) {
	sim := dockersim.Start(t)
	sim.Populate(200, 1, 0)
	id := sim.ContainerIDs()[0]
	// 200 images, eight at a time: half a minute, far longer than a start takes.
	restore := sim.Inject("GET /images/{name}/json", dockersim.Fault{Latency: time.Second})
	r := start(t, instancetest.At(t, "test"))
	r.change(func(s *appv1.AppSpec) {
		s.Running = true
		s.VM = appv1.VM{Driver: appv1.DriverExternal, Endpoint: sim.Endpoint()}
	})
	r.eventually("the container to be mirrored", func() error {
		if r.mirrors()["Container/"+id] == nil {
			return fmt.Errorf("no mirror")
		}
		return nil
	})
	r.desire(id, containersv1.StateRunning)
	r.eventually("the container to be started", func() error {
		if c := r.container(id); c.Status.Status != containersv1.ContainerRunning {
			return fmt.Errorf("status: %+v", c.Status)
		}
		return nil
	})
	if status, _ := r.condition(appv1.ConditionEngineReady); status == "True" {
		t.Error("the sync ended before the container was started: the test shows nothing")
	}
	if want, got := docker.DefaultSettings().Pool, sim.PeakInFlight(); got < want {
		t.Errorf("at most %d concurrent calls, want %d: images are not read concurrently", got, want)
	}
	restore()
}
