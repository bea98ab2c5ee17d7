package supervisor

import (
	"fmt"
	"maps"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/dockersim"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance/instancetest"
)

// exact waits until each object of the engine has a mirror, and no other mirror exists.
func (r *running) exact(sim *dockersim.Engine) {
	r.t.Helper()
	r.eventually("mirrors and engine to be equal", func() error {
		want := map[string]bool{}
		for _, m := range sim.Mirrors() {
			want[string(m.MirrorKind())+"/"+m.GetName()] = true
		}
		got := map[string]bool{}
		for name := range r.mirrors() {
			got[name] = true
		}
		if !maps.Equal(want, got) {
			return fmt.Errorf("mirrored %v\nthe engine has %v", got, want)
		}
		return nil
	})
}

func (r *running) condition(typ string) (status, reason string) {
	app := &appv1.App{}
	if err := r.Get(r.t.Context(), client.ObjectKey{Name: appv1.AppName}, app); err != nil {
		r.t.Fatal(err)
	}
	if c := meta.FindStatusCondition(app.Status.Conditions, typ); c != nil {
		return string(c.Status), c.Reason
	}
	return "", ""
}

// Row E1.
func TestFullSyncRepairsLostEvents(t *testing.T) {
	sim := dockersim.Start(t)
	sim.Populate(5, 2, 2)
	r := start(t, instancetest.At(t, "test"), func(d *daemon) { d.Docker.Resync = 100 * time.Millisecond })
	r.connect(sim)
	sim.DropEvents("*/*", 1000)
	sim.AddVolume("silent")
	sim.AddContainer("silent", sim.ImageIDs()[0])
	if err := sim.RemoveVolume(sim.VolumeNames()[0], true); err != nil {
		t.Fatal(err)
	}
	r.exact(sim)
}

// Row E1.
func TestUnreadableObjectCostsOnlyItself(t *testing.T) {
	sim := dockersim.Start(t)
	sim.Populate(5, 3, 2)
	bad := sim.ContainerIDs()[0]
	restore := sim.Inject("GET /containers/"+bad+"/json", dockersim.Fault{Status: 500, Message: "internal error"})
	r := start(t, instancetest.At(t, "test"))
	r.connect(sim)
	mirrors := r.mirrors()
	if _, ok := mirrors["Container/"+bad]; ok || len(mirrors) != 12 {
		t.Fatalf("%d mirrors, want those of the 12 readable objects", len(mirrors))
	}
	restore()
	r.exact(sim)
}

// Row E2.
func TestEventsDuringFirstListAreMirrored(t *testing.T) {
	sim := dockersim.Start(t)
	sim.Populate(5, 2, 2)
	sim.Inject("GET /containers/json", dockersim.Fault{Times: 1, Latency: 50 * time.Millisecond, Do: func() {
		sim.AddVolume("between")
		sim.AddContainer("between", sim.ImageIDs()[0])
	}})
	r := start(t, instancetest.At(t, "test"))
	r.connect(sim)
	r.exact(sim)
}

// Row E3.
func TestTagsAreExact(t *testing.T) {
	sim := dockersim.Start(t)
	first, second := sim.AddImage("app:One", "app:two"), sim.AddImage("app:three")
	r := start(t, instancetest.At(t, "test"))
	r.connect(sim)
	r.exact(sim)
	for _, step := range []func() error{
		func() error { return sim.Tag(second, "app:two") },          // moves
		func() error { return sim.RemoveImage("app:three", false) }, // one of two
		func() error { return sim.Tag(first, "registry.example:5000/deep/path:v1") },
		func() error { return sim.Tag(second, "app:One") },
		func() error { return sim.Tag(second, "registry.example:5000/deep/path:v1") }, // the first image has no tag now
	} {
		if err := step(); err != nil {
			t.Fatal(err)
		}
		r.exact(sim)
	}
	if len(sim.ImageTags(first)) != 0 {
		t.Fatal("the first image still has a tag")
	}
}

// Row E10.
func TestFailedStartIsMirrored(t *testing.T) {
	sim := dockersim.Start(t)
	id := sim.AddContainer("web", sim.AddImage("web:1"))
	if err := sim.SetStartError(id, "exec: no such file"); err != nil {
		t.Fatal(err)
	}
	r := start(t, instancetest.At(t, "test"))
	r.connect(sim)
	r.desire(id, containersv1.StateRunning)
	r.eventually("the failed start to be mirrored", func() error {
		c := r.container(id)
		refused := meta.FindStatusCondition(c.Status.Conditions, containersv1.ConditionStateReached)
		if c.Status.Error == "" || refused == nil || c.Status.ObservedGeneration == c.Generation {
			return fmt.Errorf("status: %+v", c.Status)
		}
		return nil
	})
	if err := sim.SetStartError(id, ""); err != nil {
		t.Fatal(err)
	}
	r.eventually("the start to be retried", func() error {
		c := r.container(id)
		if c.Status.Status != containersv1.ContainerRunning || c.Status.ObservedGeneration != c.Generation ||
			meta.FindStatusCondition(c.Status.Conditions, containersv1.ConditionStateReached) != nil {
			return fmt.Errorf("status: %+v", c.Status)
		}
		return nil
	})
}

func TestBrokenEventStreamReconnects(t *testing.T) {
	sim := dockersim.Start(t)
	sim.Populate(5, 2, 2)
	r := start(t, instancetest.At(t, "test"))
	r.connect(sim)
	before := r.mirrors()
	connections := sim.Calls("GET /events")
	sim.CloseStreams()
	sim.AddVolume("meanwhile")
	r.exact(sim)
	r.settled(0)
	if n := sim.Calls("GET /events"); n <= connections {
		t.Errorf("%d event streams, want more than %d", n, connections)
	}
	r.sameUIDs(before)
}

func TestHungEngineIsDisconnected(t *testing.T) {
	sim := dockersim.Start(t)
	sim.Populate(5, 2, 2)
	r := start(t, instancetest.At(t, "test"), func(d *daemon) {
		d.Docker.Ping, d.Docker.Answer = 50*time.Millisecond, 200*time.Millisecond
	})
	r.connect(sim)
	before := r.mirrors()
	sim.Freeze()
	r.eventually("the engine to be disconnected", func() error {
		if status, reason := r.condition(appv1.ConditionEngineReady); reason != appv1.ReasonDisconnected {
			return fmt.Errorf("ContainerEngineReady is %s, %s", status, reason)
		}
		return nil
	})
	sim.Thaw()
	r.settled(0)
	r.sameUIDs(before)
	r.exact(sim)
}

func TestBurstIsMirrored(t *testing.T) {
	sim := dockersim.Start(t)
	image := sim.AddImage("web:1")
	r := start(t, instancetest.At(t, "test"))
	r.connect(sim)
	sim.DuplicateEvents("*/*", 50)
	for i := range 300 {
		id := sim.AddContainer(fmt.Sprintf("burst-%d", i), image)
		if i%3 == 0 {
			if err := sim.RemoveContainer(id, true); err != nil {
				t.Fatal(err)
			}
		}
	}
	r.exact(sim)
}

func (r *running) sameUIDs(before map[string]containersv1.Mirror) {
	r.t.Helper()
	uids := map[string]types.UID{}
	for name, m := range r.mirrors() {
		uids[name] = m.GetUID()
	}
	for name, m := range before {
		if uids[name] != m.GetUID() {
			r.t.Errorf("%s was replaced", name)
		}
	}
}

// Row I7.
func TestEventCostIgnoresMirrorCount(t *testing.T) {
	cost := func(objects int) map[string]int {
		sim := dockersim.Start(t)
		sim.Populate(objects, objects, objects)
		r := start(t, instancetest.At(t, "test"))
		r.connect(sim)
		sim.ResetCalls()
		sim.AddVolume("one")
		r.exact(sim)
		calls := sim.AllCalls()
		delete(calls, "GET /_ping") // health checks, which no event causes
		r.end(true)
		return calls
	}
	few, many := cost(5), cost(100)
	if len(few) != 1 || !maps.Equal(few, many) {
		t.Errorf("an event costs %v with 15 mirrors and %v with 300, want one call", few, many)
	}
}
