package dockersim_test

import (
	"context"
	"errors"
	"net/http"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/dockersim"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine/docker"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/testkit"
)

const patience = 20 * time.Second

func setup(tb testing.TB) (*dockersim.Engine, docker.API, context.Context) {
	tb.Helper()
	sim := dockersim.Start(tb)
	engine, err := docker.Dial(sim.Endpoint())
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = engine.Close() })
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	tb.Cleanup(cancel)
	if _, err := engine.Connect(ctx); err != nil {
		tb.Fatal(err)
	}
	return sim, engine, ctx
}

// collect reads events until the volume named end is created.
func collect(t *testing.T, events <-chan docker.Event, ended <-chan error) []string {
	t.Helper()
	var out []string
	for {
		select {
		case event := <-events:
			if event.ID == "end" {
				return out
			}
			out = append(out, event.Action+" "+event.ID)
		case err := <-ended:
			t.Fatalf("the stream ended: %v", err)
		case <-time.After(patience):
			t.Fatal("no event")
		}
	}
}

func TestReplayIsLimitedAsInDockerd(t *testing.T) {
	sim, engine, ctx := setup(t)
	since := sim.Now()
	for i := range 300 {
		sim.AddVolume("volume-" + strconv.Itoa(i))
	}
	sim.AddVolume("end")
	events, ended := engine.Events(ctx, since)
	got := collect(t, events, ended)
	if len(got) != 255 || got[0] != "create volume-45" || got[254] != "create volume-299" {
		t.Errorf("%d events, from %q", len(got), got[0])
	}
}

// Row E1.
func TestDroppedAndDuplicatedEvents(t *testing.T) {
	sim, engine, ctx := setup(t)
	events, ended := engine.Events(ctx, sim.Now())
	sim.DropEvents("volume/create", 1)
	sim.AddVolume("lost")
	sim.DuplicateEvents("volume/*", 1)
	sim.AddVolume("twice")
	sim.AddVolume("once")
	sim.AddVolume("end")
	got := collect(t, events, ended)
	if len(got) != 3 || got[0] != "create twice" || got[1] != "create twice" || got[2] != "create once" {
		t.Errorf("got %q", got)
	}
	if names := sim.VolumeNames(); len(names) != 4 {
		t.Errorf("the model has %q", names)
	}
}

func TestLimitedQueueDropsEvents(t *testing.T) {
	sim, engine, ctx := setup(t)
	sim.LimitEventQueue(3)
	events, ended := engine.Events(ctx, sim.Now())
	sim.AddVolume("first")
	if got := (<-events).ID; got != "first" {
		t.Fatalf("got %q", got)
	}
	sim.Freeze()
	for i := range 10 {
		sim.AddVolume("volume-" + strconv.Itoa(i))
	}
	sim.Thaw()
	testkit.EventuallyTrue(t, patience, "the events", func() bool { sim.AddVolume("end"); return len(events) > 3 })
	if got := collect(t, events, ended); len(got) != 3 {
		t.Errorf("got %q", got)
	}
}

func TestFaultsApplyInOrder(t *testing.T) {
	sim, engine, ctx := setup(t)
	sim.AddVolume("one")
	hook := 0
	sim.Inject("GET /volumes/{name}", dockersim.Fault{Times: 2, Status: http.StatusInternalServerError, Message: "broken", Do: func() { hook++ }})
	sim.Inject("GET /volumes/one", dockersim.Fault{Times: 1, Status: http.StatusConflict, Message: "busy"})
	for i, want := range []string{"broken", "broken", "busy", ""} {
		_, err := engine.Inspect(ctx, containersv1.KindVolume, "one")
		if (err == nil) != (want == "") || err != nil && err.Error() != "inspect volume one: "+want {
			t.Errorf("call %d: %v, want %q", i, err, want)
		}
	}
	if hook != 2 || sim.Calls("GET /volumes/{name}") != 4 {
		t.Errorf("%d hooks, calls %v", hook, sim.AllCalls())
	}
	takeBack := sim.Inject("*", dockersim.Fault{Hang: true})
	short, cancel := context.WithTimeout(ctx, 30*time.Millisecond)
	defer cancel()
	if _, err := engine.List(short, containersv1.KindImage); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("hang: %v", err)
	}
	takeBack()
	sim.SetLatency(20 * time.Millisecond)
	begin := time.Now()
	if _, err := engine.List(ctx, containersv1.KindImage); err != nil || time.Since(begin) < 20*time.Millisecond {
		t.Errorf("latency: %v after %s", err, time.Since(begin))
	}
}

// Row T7.
func TestRestartForgetsEventsAndStopsContainers(t *testing.T) {
	sim, engine, ctx := setup(t)
	since := sim.Now()
	sim.AddImage("app")
	id := sim.AddContainer("web", "app")
	if err := sim.StartContainer(id); err != nil {
		t.Fatal(err)
	}
	if err := sim.Restart(func() { sim.AddVolume("unseen") }); err != nil {
		t.Fatal(err)
	}
	if got := sim.ContainerStatus(id); got != "exited" {
		t.Errorf("status %q", got)
	}
	events, ended := engine.Events(ctx, since)
	sim.AddVolume("end")
	if got := collect(t, events, ended); len(got) != 0 {
		t.Errorf("remembered %q", got)
	}
	if volumes, err := engine.List(ctx, containersv1.KindVolume); err != nil || len(volumes) != 2 {
		t.Errorf("volumes %+v, %v", volumes, err)
	}
}

func TestNewReplacesStaleSocket(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "s")
	if len(socket) > 100 {
		t.Skip("the temporary directory is too deep for a socket")
	}
	for range 2 {
		sim, err := dockersim.New(socket)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(sim.Close(), sim.Close()); err != nil {
			t.Error(err)
		}
	}
}

func TestTenThousandImages(t *testing.T) {
	sim, engine, ctx := setup(t)
	sim.Populate(10_000, 100, 100)
	begin := time.Now()
	images, err := engine.List(ctx, containersv1.KindImage)
	if err != nil || len(images) != 10_000 {
		t.Fatalf("%d images, %v", len(images), err)
	}
	t.Logf("list: %s", time.Since(begin))
	begin = time.Now()
	for _, id := range docker.IDs(images[:1000]) {
		if _, err := engine.Inspect(ctx, containersv1.KindImage, id); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("1000 inspects in turn: %s", time.Since(begin))
	if containers, err := engine.List(ctx, containersv1.KindContainer); err != nil || len(containers) != 100 {
		t.Errorf("%d containers, %v", len(containers), err)
	}
}

func BenchmarkListTenThousandImages(b *testing.B) {
	sim, engine, ctx := setup(b)
	sim.Populate(10_000, 0, 0)
	for b.Loop() {
		if _, err := engine.List(ctx, containersv1.KindImage); err != nil {
			b.Fatal(err)
		}
	}
}
