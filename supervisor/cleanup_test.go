package supervisor

import (
	"fmt"
	"testing"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/dockersim"
)

// hold puts somebody else's finalizer on a mirror, or takes it away.
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

func TestI5CleanupGoesOnUntilAllIsCleanAlsoAfterARestart(t *testing.T) {
	sim := dockersim.Start(t)
	sim.Populate(5, 5, 5)
	inst := testInstance(t)
	r := start(t, inst)
	r.connect(sim)
	held := containersv1.VolumeResourceName(sim.VolumeNames()[0])
	r.hold(held, true)
	generation := r.change(func(s *appv1.AppSpec) { s.Running = false })
	onlyHeld := func() error {
		if left := r.mirrors(); len(left) != 1 || left["Volume/"+held] == nil {
			return fmt.Errorf("%d mirrors are left, want only the one that is held", len(left))
		}
		return nil
	}
	r.eventually("every other mirror to go", onlyHeld)
	if status, reason := r.condition(appv1.ConditionSettled); status == "True" {
		t.Errorf("Settled is %s (%s) although a mirror is left", status, reason)
	}
	r.end(true)

	r = start(t, inst)
	r.eventually("the condition to say so again", func() error {
		if status, _ := r.condition(appv1.ConditionSettled); status == "True" {
			return fmt.Errorf("Settled is %s", status)
		}
		return onlyHeld()
	})
	r.hold(held, false)
	r.settled(generation)
	if left := r.mirrors(); len(left) != 0 {
		t.Errorf("%d mirrors are left", len(left))
	}
	if n := len(sim.VolumeNames()); n != 5 {
		t.Errorf("the engine has %d volumes left, want all 5", n)
	}
}

func TestI6WishesAreCarriedOutDuringAFullSync(t *testing.T) {
	sim := dockersim.Start(t)
	sim.Populate(200, 1, 0)
	id := sim.ContainerIDs()[0]
	// 200 images, eight at a time: half a minute, far longer than the wish takes.
	takeBack := sim.Inject("GET /images/{name}/json", dockersim.Fault{Latency: time.Second})
	r := start(t, testInstance(t))
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
	c := r.container(id)
	was := client.MergeFrom(c.DeepCopy())
	c.Spec.State = containersv1.StateRunning
	if err := r.Patch(t.Context(), c, was); err != nil {
		t.Fatal(err)
	}
	r.eventually("the wish to be carried out", func() error {
		if c := r.container(id); c.Status.Status != containersv1.ContainerRunning {
			return fmt.Errorf("status: %+v", c.Status)
		}
		return nil
	})
	if status, _ := r.condition(appv1.ConditionEngineReady); status == "True" {
		t.Error("the sync was over before the wish: the test shows nothing")
	}
	takeBack()
}
