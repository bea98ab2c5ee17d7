package supervisor

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/controlplane/controlplanetest"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/dockersim"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance/instancetest"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/invariant"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/kube"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/testkit"
)

// patience is how long a test waits for a condition.
const patience = 30 * time.Second

// running is a daemon in this process, with the real control plane.
type running struct {
	*daemon
	client.Client
	t    testing.TB
	stop context.CancelFunc
	err  chan error
}

// start runs a daemon and waits until it is ready.
func start(t testing.TB, inst instance.Instance, change ...func(*daemon)) *running {
	t.Helper()
	d := newDaemon(Config{Instance: inst, Logger: testLogger(t)})
	for _, f := range change {
		f(d)
	}
	ctx, cancel := context.WithCancel(context.Background())
	r := &running{daemon: d, t: t, stop: cancel, err: make(chan error, 1)}
	go func() { r.err <- d.run(ctx) }()
	t.Cleanup(func() { r.end(true) })
	r.eventually("the daemon to be ready", func() error {
		if !d.isReady.Load() {
			return fmt.Errorf("tree: %+v", d.picture.Nodes())
		}
		return nil
	})
	scheme, err := kube.NewScheme()
	if err != nil {
		t.Fatal(err)
	}
	if r.Client, err = client.New(controlplanetest.UserConfig(t, inst.Config), client.Options{Scheme: scheme}); err != nil {
		t.Fatal(err)
	}
	return r
}

func testLogger(t testing.TB) *slog.Logger {
	if testing.Verbose() {
		return slog.New(slog.NewTextHandler(os.Stderr, nil)).With("test", t.Name())
	}
	return slog.New(slog.DiscardHandler)
}

// end stops the daemon and waits for its end.
func (r *running) end(keepVM bool) {
	r.t.Helper()
	select {
	case r.shutdown <- keepVM:
	default:
	}
	select {
	case err := <-r.err:
		r.err <- err
		if err != nil {
			r.t.Errorf("the daemon ended with: %v", err)
		}
	case <-time.After(patience):
		r.t.Fatalf("the daemon did not end; tree: %+v", r.picture.Nodes())
	}
}

func (r *running) eventually(what string, check func() error) {
	r.t.Helper()
	testkit.Eventually(r.t, patience, what, check)
}

// apply changes the App's spec and waits until it is applied.
func (r *running) apply(change func(*appv1.AppSpec)) {
	r.t.Helper()
	r.settled(r.change(change))
}

// change changes the App's spec and returns its new generation.
func (r *running) change(change func(*appv1.AppSpec)) int64 {
	r.t.Helper()
	app := &appv1.App{}
	app.Name = appv1.AppName
	if err := r.Get(context.Background(), client.ObjectKeyFromObject(app), app); err != nil {
		r.t.Fatal(err)
	}
	before := client.MergeFrom(app.DeepCopy())
	change(&app.Spec)
	if err := r.Patch(context.Background(), app, before); err != nil {
		r.t.Fatal(err)
	}
	return app.Generation
}

func (r *running) settled(generation int64) {
	r.t.Helper()
	r.eventually("the App to settle", func() error {
		app := &appv1.App{}
		if err := r.Get(context.Background(), client.ObjectKey{Name: appv1.AppName}, app); err != nil {
			return err
		}
		c := meta.FindStatusCondition(app.Status.Conditions, appv1.ConditionSettled)
		if c == nil || c.Status != metav1.ConditionTrue || c.ObservedGeneration < generation {
			return fmt.Errorf("conditions: %+v", app.Status.Conditions)
		}
		return nil
	})
}

func (r *running) connect(sim *dockersim.Engine) {
	r.t.Helper()
	r.apply(func(s *appv1.AppSpec) {
		s.Running = true
		s.VM = appv1.VM{Driver: appv1.DriverExternal, Endpoint: sim.Endpoint()}
	})
}

// mirrors lists everything that is mirrored, by kind and name.
func (r *running) mirrors() map[string]containersv1.Mirror {
	r.t.Helper()
	out := map[string]containersv1.Mirror{}
	for _, kind := range containersv1.Kinds() {
		if !kind.HasFinalizer() {
			continue
		}
		mirrors, err := invariant.FromReader(r).Mirrors(context.Background(), kind)
		if err != nil {
			r.t.Fatal(err)
		}
		for _, m := range mirrors {
			out[string(kind)+"/"+m.GetName()] = m
		}
	}
	return out
}

func (r *running) container(id string) *containersv1.Container {
	r.t.Helper()
	c := &containersv1.Container{}
	key := client.ObjectKey{Namespace: appv1.DefaultNamespace, Name: id}
	if err := r.Get(context.Background(), key, c); err != nil {
		r.t.Fatal(err)
	}
	return c
}

// desire sets the desired state of a container, as a user does.
func (r *running) desire(id string, state containersv1.DesiredState) {
	r.t.Helper()
	c := r.container(id)
	before := client.MergeFrom(c.DeepCopy())
	c.Spec.State = state
	if err := r.Patch(context.Background(), c, before); err != nil {
		r.t.Fatal(err)
	}
}

func TestMirrorsFollowEngine(t *testing.T) {
	sim := dockersim.Start(t)
	sim.Populate(20, 10, 10)
	r := start(t, instancetest.At(t, "test"))
	r.connect(sim)
	if n := len(r.mirrors()); n != 43 {
		t.Fatalf("%d mirrors, want 43", n)
	}
	id := sim.AddContainer("late", sim.ImageIDs()[0])
	r.eventually("the mirror of the new container", func() error {
		if _, ok := r.mirrors()["Container/"+id]; !ok {
			return fmt.Errorf("no mirror of %s", id)
		}
		return nil
	})
	if err := sim.RemoveContainer(id, true); err != nil {
		t.Fatal(err)
	}
	r.eventually("the mirror of the removed container to be removed", func() error {
		if _, ok := r.mirrors()["Container/"+id]; ok {
			return fmt.Errorf("still a mirror of %s", id)
		}
		return nil
	})
	r.apply(func(s *appv1.AppSpec) { s.Running = false })
	if left := r.mirrors(); len(left) != 0 {
		t.Errorf("%d mirrors of the stopped engine are left", len(left))
	}
	if n := len(sim.ContainerIDs()); n != 10 {
		t.Errorf("the engine has %d containers left, want all 10", n)
	}
}

func TestRestartWritesNothing(t *testing.T) {
	sim := dockersim.Start(t)
	sim.Populate(50, 20, 20)
	inst := instancetest.At(t, "test")
	r := start(t, inst)
	r.connect(sim)
	before := r.mirrors()
	r.end(true)

	r = start(t, inst)
	r.settled(0)
	after := r.mirrors()
	if len(after) != len(before) {
		t.Errorf("%d mirrors after a restart, want %d", len(after), len(before))
	}
	for name, was := range before {
		if is := after[name]; is == nil || is.GetResourceVersion() != was.GetResourceVersion() || is.GetUID() != was.GetUID() {
			t.Errorf("%s was written although nothing changed", name)
		}
	}
}

func TestUserRequestsAreApplied(t *testing.T) {
	sim := dockersim.Start(t)
	image := sim.AddImage("web:1")
	id := sim.AddContainer("web", image)
	r := start(t, instancetest.At(t, "test"))
	r.connect(sim)
	for _, step := range []struct {
		state  containersv1.DesiredState
		before func() error
		want   containersv1.ContainerState
	}{
		{containersv1.StateRunning, func() error { return nil }, containersv1.ContainerRunning},
		{containersv1.StateCreated, func() error { return sim.PauseContainer(id) }, containersv1.ContainerExited},
		{containersv1.StateRunning, func() error { return errors.Join(sim.StartContainer(id), sim.PauseContainer(id)) }, containersv1.ContainerRunning},
		{containersv1.StateCreated, func() error { return sim.Crash(id, 1) }, containersv1.ContainerExited},
	} {
		if err := step.before(); err != nil {
			t.Fatal(err)
		}
		r.desire(id, step.state)
		r.eventually("the desired state "+string(step.state), func() error {
			c := r.container(id)
			if c.Status.ObservedGeneration != c.Generation || c.Status.Status != step.want {
				return fmt.Errorf("generation %d, status %+v", c.Generation, c.Status)
			}
			return nil
		})
	}
}

// I3: a container uses the image, and then none does.
func TestDeleteOfUsedImageIsRetried(t *testing.T) {
	sim := dockersim.Start(t)
	image := sim.AddImage("web:1")
	id := sim.AddContainer("web", image)
	r := start(t, instancetest.At(t, "test"))
	r.connect(sim)
	img := &containersv1.Image{}
	img.Name, img.Namespace = containersv1.ImageResourceName(image, "web:1"), appv1.DefaultNamespace
	if err := r.Delete(t.Context(), img); err != nil {
		t.Fatal(err)
	}
	r.eventually("the refusal to be reported", func() error {
		if err := r.Get(t.Context(), client.ObjectKeyFromObject(img), img); err != nil {
			return err
		}
		if c := meta.FindStatusCondition(img.Status.Conditions, containersv1.ConditionEngineDeleted); c == nil {
			return fmt.Errorf("conditions: %+v", img.Status.Conditions)
		}
		return nil
	})
	if err := r.Delete(t.Context(), r.container(id)); err != nil {
		t.Fatal(err)
	}
	r.eventually("container and image to be removed", func() error {
		if left := r.mirrors(); len(left) != len(sim.Networks()) {
			return fmt.Errorf("left: %v, want only the predefined networks", left)
		}
		return nil
	})
	if len(sim.ContainerIDs()) != 0 || len(sim.ImageIDs()) != 0 {
		t.Error("the engine still has the deleted objects")
	}
}

func TestBlipKeepsMirrors(t *testing.T) {
	sim := dockersim.Start(t)
	sim.Populate(10, 5, 5)
	r := start(t, instancetest.At(t, "test"))
	r.connect(sim)
	before := r.mirrors()
	var gone string
	if err := sim.Restart(func() {
		gone = sim.ContainerIDs()[0]
		if err := sim.RemoveContainer(gone, true); err != nil {
			t.Error(err)
		}
	}); err != nil {
		t.Fatal(err)
	}
	r.eventually("the mirror of the removed container to be removed", func() error {
		if _, ok := r.mirrors()["Container/"+gone]; ok {
			return fmt.Errorf("still a mirror of %s", gone)
		}
		return nil
	})
	r.settled(0)
	delete(before, "Container/"+gone)
	r.sameUIDs(before)
}

func TestMirrorsRemovedAfterGracePeriod(t *testing.T) {
	sim := dockersim.Start(t)
	sim.Populate(10, 5, 5)
	r := start(t, instancetest.At(t, "test"), func(d *daemon) { d.settings.Grace = 100 * time.Millisecond })
	r.connect(sim)
	if err := sim.Refuse(); err != nil {
		t.Fatal(err)
	}
	r.eventually("the mirrors to be removed", func() error {
		if n := len(r.mirrors()); n != 0 {
			return fmt.Errorf("%d are left", n)
		}
		return nil
	})
	if err := sim.Accept(); err != nil {
		t.Fatal(err)
	}
	r.eventually("the mirrors to be created again", func() error {
		if n := len(r.mirrors()); n != 23 {
			return fmt.Errorf("%d exist", n)
		}
		return nil
	})
	if n := len(sim.ContainerIDs()); n != 5 {
		t.Errorf("the engine has %d containers left, want all 5", n)
	}
}
