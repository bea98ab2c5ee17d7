package bench_test

import (
	"fmt"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/dockersim"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine/docker"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance/instancetest"
)

const (
	// eventsPerRun is the number of events of one operation. A 99th percentile needs
	// some hundred.
	eventsPerRun = 200
	// burst is the number of containers that are created at once.
	burst = 100
)

// population is the number of mirrors before a scenario begins.
type population struct{ mirrors, images, containers, volumes int }

func populations() []population {
	return []population{{100, 60, 20, 20}, {700, 500, 100, 100}, {10_000, 9800, 100, 100}}
}

// running runs a scenario for each population, with a connected daemon that has all its
// mirrors.
func running(b *testing.B, scenario func(b *testing.B, sim *dockersim.Engine, d *daemon, inst instance.Instance)) {
	for _, p := range populations() {
		b.Run(fmt.Sprintf("mirrors=%d", p.mirrors), func(b *testing.B) {
			sim := dockersim.Start(b)
			sim.Populate(p.images, p.containers, p.volumes)
			inst := instancetest.At(b, "bench")
			d := start(b, inst, docker.Settings{})
			d.connect(sim)
			scenario(b, sim, d, inst)
		})
	}
}

// BenchmarkVolumeEvent measures from the return of the engine's creation and removal
// until a watch reports the whole mirror, or its removal.
func BenchmarkVolumeEvent(b *testing.B) {
	running(b, func(b *testing.B, sim *dockersim.Engine, d *daemon, _ instance.Instance) {
		volumeEvents(b, sim, d.mirrors())
	})
}

// BenchmarkContainerEvent measures from the return of the engine's start and removal of
// a container until a watch reports it.
func BenchmarkContainerEvent(b *testing.B) {
	running(b, func(b *testing.B, sim *dockersim.Engine, d *daemon, _ instance.Instance) {
		containerEvents(b, sim, d.mirrors())
	})
}

// BenchmarkBurst measures from the return of the last of many creations until all
// containers are mirrored.
func BenchmarkBurst(b *testing.B) {
	running(b, func(b *testing.B, sim *dockersim.Engine, d *daemon, _ instance.Instance) {
		bursts(b, sim, d.mirrors())
	})
}

func volumeEvents(b *testing.B, sim *dockersim.Engine, mirrors view) {
	w := mirrors.watch("volumes")
	defer w.stop()
	var made, gone latencies
	for b.Loop() {
		for i := range eventsPerRun {
			name := fmt.Sprintf("event-%d", i)
			sim.AddVolume(name)
			made.add(w.until(shows("name", name)))
			if err := sim.RemoveVolume(name, false); err != nil {
				b.Fatal(err)
			}
			gone.add(w.until(disappears("name", name)))
		}
	}
	made.report(b, "event")
	gone.report(b, "removal")
}

func containerEvents(b *testing.B, sim *dockersim.Engine, mirrors view) {
	w := mirrors.watch("containers")
	defer w.stop()
	image := sim.ImageIDs()[0]
	var started, gone latencies
	for b.Loop() {
		for i := range eventsPerRun {
			name := fmt.Sprintf("event-%d", i)
			id := sim.AddContainer(name, image)
			w.until(shows("name", name))
			if err := sim.StartContainer(id); err != nil {
				b.Fatal(err)
			}
			started.add(w.until(func(_ watch.EventType, o *unstructured.Unstructured) bool {
				return o.GetName() == id && statusField(o, "status") == "running"
			}))
			if err := sim.RemoveContainer(id, true); err != nil {
				b.Fatal(err)
			}
			gone.add(w.until(disappears("name", name)))
		}
	}
	started.report(b, "event")
	gone.report(b, "removal")
}

func bursts(b *testing.B, sim *dockersim.Engine, mirrors view) {
	w := mirrors.watch("containers")
	defer w.stop()
	image := sim.ImageIDs()[0]
	var lag latencies
	for b.Loop() {
		var ids []string
		missing := map[string]bool{}
		for i := range burst {
			id := sim.AddContainer(fmt.Sprintf("burst-%d", i), image)
			ids, missing[id] = append(ids, id), true
		}
		lag.add(w.until(func(_ watch.EventType, o *unstructured.Unstructured) bool {
			if statusField(o, "name") != "" {
				delete(missing, o.GetName())
			}
			return len(missing) == 0
		}))
		b.StopTimer()
		for _, id := range ids {
			if err := sim.RemoveContainer(id, true); err != nil {
				b.Fatal(err)
			}
		}
		gone := 0
		w.until(func(event watch.EventType, _ *unstructured.Unstructured) bool {
			if event == watch.Deleted {
				gone++
			}
			return gone == burst
		})
		b.StartTimer()
	}
	b.ReportMetric(lag.mean(), "ms/burst")
}

// shows matches an event of a mirror with this value in its status.
func shows(field, value string) func(watch.EventType, *unstructured.Unstructured) bool {
	return func(event watch.EventType, o *unstructured.Unstructured) bool {
		return event != watch.Deleted && statusField(o, field) == value
	}
}

// disappears matches the removal of a mirror with this value in its status.
func disappears(field, value string) func(watch.EventType, *unstructured.Unstructured) bool {
	return func(event watch.EventType, o *unstructured.Unstructured) bool {
		return event == watch.Deleted && statusField(o, field) == value
	}
}
