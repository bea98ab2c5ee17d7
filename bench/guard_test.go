package bench_test

import (
	"errors"
	"fmt"
	"maps"
	"runtime"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/watch"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/dockersim"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine/docker"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance/instancetest"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/testkit"
)

// Guards count the cost of an event, a sync or a mirror. A count is exact, or has a
// limit far below the cost of an implementation that grows with the number of mirrors.

const (
	// guardedEvents is how often an event is repeated, so that an occasional extra
	// write is found.
	guardedEvents = 25
	// mallocsPerEvent is a tenth more than the 2,920 that were measured for a volume
	// that is created and removed: in the daemon, the simulated engine, and the
	// client that watches over TLS. Managed fields cause a third of them, since the
	// server of custom resources converts the metadata at each decoding.
	mallocsPerEvent = 3200
)

// Row I7: writes, counted as revisions of the datastore, and calls to the engine do not
// depend on the number of mirrors.
func TestEventCostIsIndependentOfMirrors(t *testing.T) {
	var costs []eventCost
	for _, images := range []int{10, 1000} {
		sim := dockersim.Start(t)
		sim.Populate(images, 0, 0)
		d := start(t, instancetest.At(t, "bench"), docker.Settings{})
		d.connect(sim)
		costs = append(costs, costOfEvents(t, sim, d.mirrors()))
	}
	few, many := costs[0], costs[1]
	// The number of coalesced readings of one object depends on timing.
	for _, c := range []*eventCost{&few, &many} {
		if most := int64(guardedEvents * 4 * 2); c.calls > most {
			t.Errorf("the engine was called %d times for %d events, want at most %d", c.calls, guardedEvents*4, most)
		}
		c.calls = 0
	}
	if few != many {
		t.Errorf("events cost %+v with 10 mirrors and %+v with 1,000, want the same", few, many)
	}
	want := eventCost{created: guardedEvents, started: guardedEvents, removed: guardedEvents, lists: 0}
	if few != want {
		t.Errorf("%d events of each kind cost %+v writes, want %+v", guardedEvents, few, want)
	}
}

// eventCost has the number of writes for guardedEvents events of each kind, and the
// number of calls to the engine, with lists counted separately.
type eventCost struct{ created, started, removed, lists, calls int64 }

func costOfEvents(t *testing.T, sim *dockersim.Engine, mirrors view) eventCost {
	t.Helper()
	w := mirrors.watch("containers")
	defer w.stop()
	image := "image-0:latest"
	sim.ResetCalls()
	var cost eventCost
	var ids []string
	cost.created = mirrors.writes(func() {
		for i := range guardedEvents {
			name := fmt.Sprintf("guarded-%d", i)
			// The writes for a network depend on timing, because its readings are coalesced.
			ids = append(ids, sim.AddContainerSpec(dockersim.ContainerSpec{Name: name, Image: image, NoNetwork: true}))
			w.until(shows("name", name))
		}
	})
	cost.started = mirrors.writes(func() {
		for _, id := range ids {
			if err := sim.StartContainer(id); err != nil {
				t.Fatal(err)
			}
			w.until(func(_ watch.EventType, o *unstructured.Unstructured) bool {
				return o.GetName() == id && statusField(o, "status") == "running"
			})
		}
	})
	cost.removed = mirrors.writes(func() {
		for i, id := range ids {
			// The kill of a running container would be another event.
			if err := sim.Die(id, 0); err != nil {
				t.Fatal(err)
			}
			w.until(func(_ watch.EventType, o *unstructured.Unstructured) bool {
				return o.GetName() == id && statusField(o, "status") == "exited"
			})
			if err := sim.RemoveContainer(id, false); err != nil {
				t.Fatal(err)
			}
			w.until(disappears("name", fmt.Sprintf("guarded-%d", i)))
		}
	}) - guardedEvents // the end of each container's process
	for endpoint, n := range sim.AllCalls() {
		if endpoint != "GET /_ping" { // pings are periodic
			cost.calls += int64(n)
		}
	}
	for _, list := range []string{"GET /containers/json", "GET /images/json", "GET /volumes", "GET /networks"} {
		cost.lists += int64(sim.Calls(list))
	}
	return cost
}

// writes returns the number of writes that f causes, including late ones.
func (v view) writes(f func()) int64 {
	v.tb.Helper()
	before := v.settled()
	f()
	return v.settled() - before
}

// settled waits until nothing is written for some time, and returns the revision.
func (v view) settled() int64 {
	v.tb.Helper()
	const probes = 50 // some milliseconds apart
	last, same := v.revision(), 0
	testkit.Eventually(v.tb, timeout, "the writes to end", func() error {
		now := v.revision()
		if now != last {
			last, same = now, 0
		}
		if same++; same < probes {
			return fmt.Errorf("revision %d is %d probes old", last, same)
		}
		return nil
	})
	return last
}

// Full syncs of an unchanged engine write nothing. After a change without an event they
// write that object.
func TestResyncOfUnchangedWritesNothing(t *testing.T) {
	const objects = 50
	sim := dockersim.Start(t)
	sim.Populate(objects, objects, objects)
	d := start(t, instancetest.At(t, "bench"), docker.Settings{Resync: 20 * time.Millisecond})
	d.connect(sim)
	mirrors := d.mirrors()
	syncs := func() {
		t.Helper()
		const endpoint = "GET /containers/json"
		before := sim.Calls(endpoint)
		testkit.Eventually(t, timeout, "some full syncs", func() error {
			// The last sync may still run; the one before has ended.
			if n := sim.Calls(endpoint) - before; n < 5 {
				return fmt.Errorf("%d syncs have begun", n)
			}
			return nil
		})
	}
	before := mirrors.versions()
	const inspect = "GET /images/{name}/json"
	inspected := sim.Calls(inspect)
	if n := mirrors.writes(syncs); n != 0 {
		t.Errorf("full syncs of an unchanged engine made %d writes", n)
	}
	if after := mirrors.versions(); !maps.Equal(before, after) {
		t.Errorf("full syncs of an unchanged engine wrote %d mirrors", written(before, after))
	}
	if n := sim.Calls(inspect) - inspected; n != 0 {
		t.Errorf("full syncs inspected %d images that were listed as before", n)
	}
	if n := mirrors.writes(func() {
		sim.DropEvents("volume/create", 1)
		sim.AddVolume("silent")
		syncs()
	}); n != 1 {
		t.Errorf("full syncs that find one new object made %d writes, want 1", n)
	}
	if n := mirrors.writes(func() {
		sim.DropEvents("image/tag", 1)
		if err := sim.Tag(sim.ImageIDs()[0], "silent:1"); err != nil {
			t.Fatal(err)
		}
		syncs()
	}); n != 1 {
		t.Errorf("full syncs that find one new tag made %d writes, want 1", n)
	}
}

// A restart inspects no image whose ID, tags and digests are unchanged in the list.
func TestRestartInspectsOnlyChanges(t *testing.T) {
	sim := dockersim.Start(t)
	sim.Populate(50, 10, 10)
	inst := instancetest.At(t, "bench")
	d := start(t, inst, docker.Settings{})
	d.connect(sim)
	before := d.mirrors().versions()
	d.stop()
	if err := sim.Tag(sim.ImageIDs()[0], "meanwhile:1"); err != nil {
		t.Fatal(err)
	}
	sim.ResetCalls()
	d = start(t, inst, docker.Settings{})
	app := d.watchApp()
	app.await(0, appv1.ConditionEngineReady, true)
	app.stop()
	if n := sim.Calls("GET /images/{name}/json"); n != 1 {
		t.Errorf("%d images were inspected, want the one with a new tag", n)
	}
	if n := written(before, d.mirrors().versions()); n != 1 {
		t.Errorf("%d mirrors were written, want the one of the new tag", n)
	}
}

// A health probe that changes nothing sends the daemon the end of its exec, and not the two
// events before. Each event wakes the daemon up.
func TestProbeSendsOneEvent(t *testing.T) {
	const containers, probes = 10, 20
	sim := dockersim.Start(t)
	sim.AddImage("app:1")
	var ids []string
	for i := range containers {
		id := sim.AddContainerSpec(dockersim.ContainerSpec{Name: fmt.Sprint("probed-", i), Image: "app:1", HealthRetries: 3})
		if err := errors.Join(sim.StartContainer(id), sim.Probe(id, 0, "ok")); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	start(t, instancetest.At(t, "bench"), docker.Settings{}).connect(sim)
	testkit.EventuallyTrue(t, timeout, "both event streams", func() bool { return sim.Streams() == 2 })
	before := sim.DeliveredEvents()
	for range probes {
		for _, id := range ids {
			if err := sim.Probe(id, 0, "ok"); err != nil {
				t.Fatal(err)
			}
		}
	}
	if got := sim.DeliveredEvents() - before; got != containers*probes {
		t.Errorf("%d probes sent %d events, want one for each", containers*probes, got)
	}
}

// The number of goroutines is the same with a hundred and with a thousand mirrors.
func TestIdleMirrorsHoldNoGoroutine(t *testing.T) {
	const few, more = 100, 900
	sim := dockersim.Start(t)
	sim.Populate(few, 0, 0)
	d := start(t, instancetest.At(t, "bench"), docker.Settings{Resync: 50 * time.Millisecond})
	d.connect(sim)
	mirrors := d.mirrors()
	mirrors.settled()
	before := runtime.NumGoroutine()
	sim.Populate(more, 0, 0)
	testkit.Eventually(t, timeout, "the further mirrors", func() error {
		if n := len(mirrors.versions()); n < few+more {
			return fmt.Errorf("there are %d mirrors", n)
		}
		return nil
	})
	// A full sync starts a few goroutines; one for each mirror would be nine hundred.
	testkit.Eventually(t, 20*time.Second, "the goroutines of the further mirrors to end", func() error {
		if added := runtime.NumGoroutine() - before; added > more/10 {
			return fmt.Errorf("%d goroutines came with %d mirrors", added, more)
		}
		return nil
	})
}

// Allocations limit the work of an event. Times depend on the load of the machine.
func TestEventAllocationsAreLimited(t *testing.T) {
	sim := dockersim.Start(t)
	sim.Populate(1000, 0, 0)
	d := start(t, instancetest.At(t, "bench"), docker.Settings{})
	d.connect(sim)
	w := d.mirrors().watch("volumes")
	defer w.stop()
	events := func(count int) {
		t.Helper()
		for i := range count {
			name := fmt.Sprintf("guarded-%d", i)
			sim.AddVolume(name)
			w.until(shows("name", name))
			if err := sim.RemoveVolume(name, false); err != nil {
				t.Fatal(err)
			}
			w.until(disappears("name", name))
		}
	}
	events(guardedEvents) // for what is allocated only once
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	const count = 8 * guardedEvents
	events(count)
	runtime.ReadMemStats(&after)
	got := (after.Mallocs - before.Mallocs) / count
	t.Logf("%d allocations", got)
	if got > mallocsPerEvent {
		t.Errorf("the creation and removal of a volume costs %d allocations, want at most %d", got, mallocsPerEvent)
	}
}
