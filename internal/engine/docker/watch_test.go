package docker

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
)

// quietAPI is an engine with one container and two volumes. It sends no events.
type quietAPI struct{ API }

func (quietAPI) Connect(context.Context) (Info, error) {
	return Info{Version: "1", APIVersion: "1.41", SystemTime: time.Now()}, nil
}

func (quietAPI) Events(ctx context.Context, _ time.Time) (<-chan Event, <-chan error) {
	return nil, endedWith(ctx)
}

// endedWith returns the end of a stream that lasts as long as ctx.
func endedWith(ctx context.Context) <-chan error {
	ended := make(chan error, 1)
	context.AfterFunc(ctx, func() { ended <- ctx.Err() })
	return ended
}

func (quietAPI) Ping(context.Context) error { return nil }

func (quietAPI) List(_ context.Context, kind containersv1.Kind) ([]Listed, error) {
	switch kind {
	case containersv1.KindContainer:
		return listedIDs("c1"), nil
	case containersv1.KindVolume:
		return listedVolumes("v1", "v2"), nil
	default:
		return nil, nil
	}
}

func (quietAPI) Inspect(_ context.Context, _ containersv1.Kind, id string) ([]containersv1.Mirror, error) {
	c := &containersv1.Container{}
	c.Name = id
	return []containersv1.Mirror{c}, nil
}

func listedIDs(ids ...string) []Listed {
	listed := make([]Listed, len(ids))
	for i, id := range ids {
		listed[i].ID = id
	}
	return listed
}

func listedVolumes(names ...string) []Listed {
	listed := listedIDs(names...)
	for i, name := range names {
		listed[i].Mirror = volumeNamed(name)
	}
	return listed
}

func volumeNamed(name string) *containersv1.Volume {
	v := &containersv1.Volume{}
	v.Name, v.Status.Name = containersv1.VolumeResourceName(name), name
	return v
}

// recorder keeps what a watch reports.
type recorder struct {
	// engine is the one that is watched.
	engine engine.Engine

	mu     sync.Mutex
	events []engine.Event
	// present are the objects that were reported, and not reported to be gone.
	present map[engine.Key]bool
	// err is what Watch returned.
	err error
}

func (r *recorder) sink(ev engine.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, ev)
	switch v := ev.(type) {
	case engine.Object:
		r.present[engine.KeyOf(v.Mirror)] = true
	case engine.Gone:
		delete(r.present, v.Key)
	case engine.Connected, engine.Listed, engine.Synced:
	}
}

// index returns the position of the first event with a property, or -1.
func (r *recorder) index(has func(engine.Event) bool) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.IndexFunc(r.events, has)
}

func (r *recorder) has(key engine.Key) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.present[key]
}

// synced returns the last full sync, and how many there were.
func (r *recorder) synced() (last engine.Synced, n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, ev := range r.events {
		if s, ok := ev.(engine.Synced); ok {
			last, n = s, n+1
		}
	}
	return last, n
}

func (r *recorder) result() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}

// watch runs a test beside a watch, on virtual time, and ends the watch.
func watch(t *testing.T, newAPI func() API, known []containersv1.Mirror, test func(*testing.T, *recorder)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		e := New(newAPI(), Settings{}, slog.New(slog.DiscardHandler))
		r := &recorder{engine: e, present: map[engine.Key]bool{}}
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			err := e.Watch(ctx, known, r.sink)
			r.mu.Lock()
			defer r.mu.Unlock()
			r.err = err
		}()
		test(t, r)
		cancel()
		synctest.Wait()
		if r.result() == nil {
			t.Error("Watch did not return when its context ended")
		}
	})
}

func TestWatchReportsInOrder(t *testing.T) {
	watch(t, func() API { return quietAPI{} }, nil, func(t *testing.T, r *recorder) {
		synctest.Wait()
		r.mu.Lock()
		defer r.mu.Unlock()
		if len(r.events) != 7 {
			t.Fatalf("events %+v", r.events)
		}
		if c, ok := r.events[0].(engine.Connected); !ok || c.Version != "1" || c.APIVersion != "1.41" {
			t.Errorf("first event %+v", r.events[0])
		}
		listed, ok := r.events[1].(engine.Listed)
		if !ok || listed.Counts[containersv1.KindContainer] != 1 || listed.Counts[containersv1.KindVolume] != 2 {
			t.Errorf("second event %+v", r.events[1])
		}
		if _, ok := r.events[6].(engine.Synced); !ok || len(r.present) != 4 {
			t.Errorf("last event %+v, present %v", r.events[6], r.present)
		}
	})
}

// hangingAPI stops answering probes when hangs is set.
type hangingAPI struct {
	quietAPI
	hangs *atomic.Bool
}

func (a hangingAPI) Ping(ctx context.Context) error {
	if !a.hangs.Load() {
		return nil
	}
	<-ctx.Done()
	return ctx.Err()
}

func TestWatchEndsAfterTwoMissedProbes(t *testing.T) {
	a := hangingAPI{hangs: &atomic.Bool{}}
	watch(t, func() API { return a }, nil, func(t *testing.T, r *recorder) {
		time.Sleep(time.Minute)
		if err := r.result(); err != nil {
			t.Fatal(err)
		}
		a.hangs.Store(true)
		time.Sleep(DefaultSettings().Ping + 2*DefaultSettings().Answer + time.Second)
		if err := r.result(); !engine.IsUnreachable(err) {
			t.Errorf("Watch returned %v, want that the engine is unreachable", err)
		}
	})
}

// buggyAPI panics when it lists.
type buggyAPI struct{ quietAPI }

func (buggyAPI) List(context.Context, containersv1.Kind) ([]Listed, error) {
	panic(errors.New("a bug"))
}

func TestWatchEndsAtPanicInList(t *testing.T) {
	watch(t, func() API { return buggyAPI{} }, nil, func(t *testing.T, r *recorder) {
		time.Sleep(time.Second)
		if r.result() == nil {
			t.Error("Watch continues after a panic")
		}
	})
}

// brokenAPI has a container whose inspection fails until it is fixed.
type brokenAPI struct {
	quietAPI
	events chan Event
	fixed  *atomic.Bool
	reads  *atomic.Int32
}

func (a brokenAPI) Events(ctx context.Context, _ time.Time) (<-chan Event, <-chan error) {
	return a.events, endedWith(ctx)
}

func (a brokenAPI) Inspect(ctx context.Context, kind containersv1.Kind, id string) ([]containersv1.Mirror, error) {
	a.reads.Add(1)
	if !a.fixed.Load() {
		return nil, errors.New("internal server error")
	}
	return a.quietAPI.Inspect(ctx, kind, id)
}

func withBroken(t *testing.T, test func(*testing.T, brokenAPI, *recorder)) {
	t.Helper()
	a := brokenAPI{fixed: &atomic.Bool{}, reads: &atomic.Int32{}}
	watch(t, func() API {
		a.events = make(chan Event)
		return a
	}, nil, func(t *testing.T, r *recorder) { test(t, a, r) })
}

// A container that cannot be read is read about once a minute, also when full syncs
// meet it.
func TestUnreadableObjectRetriesOnceAMinute(t *testing.T) {
	withBroken(t, func(t *testing.T, a brokenAPI, r *recorder) {
		time.Sleep(5 * time.Hour)
		before := a.reads.Load()
		time.Sleep(time.Hour)
		if n := a.reads.Load() - before; n < 30 || n > 150 {
			t.Errorf("%d inspections in an hour, want about 100", n)
		}
		if last, _ := r.synced(); len(last.Unread) != 1 || last.Unread[0].ID != "c1" {
			t.Errorf("unread %v, want c1", last.Unread)
		}
	})
}

// An event must not wait for the back-off of an earlier reading, which is up to a
// minute.
func TestEventEndsBackoffOfFailedRead(t *testing.T) {
	withBroken(t, func(t *testing.T, a brokenAPI, r *recorder) {
		time.Sleep(time.Hour)
		for before := a.reads.Load(); a.reads.Load() == before; {
			time.Sleep(time.Second)
		}
		a.fixed.Store(true)
		before := a.reads.Load()
		a.events <- event(containersv1.KindContainer, "c1", "start")
		synctest.Wait()
		if a.reads.Load() != before+1 || !r.has(engine.Key{Kind: containersv1.KindContainer, ID: "c1"}) {
			t.Error("the container was not read at the event")
		}
		time.Sleep(2 * time.Minute)
		if n := a.reads.Load() - before; n > 2 { // with the next full sync
			t.Errorf("%d readings in 2 minutes, want that the retry is gone", n)
		}
	})
}

// A daemon starts with the mirrors of the previous one. Its first sync uses them, its
// second one inspects the images.
func TestKnownImagesAreInspectedBySecondSync(t *testing.T) {
	s := &stored{images: map[string]storedImage{"a": {tags: []string{"x:1"}}}}
	known := []containersv1.Mirror{imagesOf("a", "x:1")[0], volumeNamed("pruned")}
	watch(t, func() API {
		s.events = make(chan Event, 16)
		return store{stored: s}
	}, known, func(t *testing.T, r *recorder) {
		synctest.Wait()
		key := engine.Key{Kind: containersv1.KindImage, ID: "a", Tag: "x:1"}
		if n := s.inspections.Load(); n != 0 || !r.has(key) {
			t.Errorf("%d inspections by the first sync, want none", n)
		}
		s.events <- event(containersv1.KindVolume, "", "prune")
		time.Sleep(15 * time.Second)
		if n := s.inspections.Load(); n != 1 {
			t.Errorf("%d inspections after the second sync, want one", n)
		}
	})
}

// orderedAPI records the order of its calls. Connect takes a second.
type orderedAPI struct {
	quietAPI
	calls chan string
}

func (a orderedAPI) Connect(ctx context.Context) (Info, error) {
	time.Sleep(time.Second)
	a.calls <- "connect"
	return a.quietAPI.Connect(ctx)
}

func (a orderedAPI) Events(ctx context.Context, since time.Time) (<-chan Event, <-chan error) {
	a.calls <- "subscribe"
	return a.quietAPI.Events(ctx, since)
}

func (a orderedAPI) List(ctx context.Context, kind containersv1.Kind) ([]Listed, error) {
	if kind == containersv1.KindContainer {
		a.calls <- "list"
	}
	return a.quietAPI.List(ctx, kind)
}

// A sync that lists before the events are subscribed to misses the changes between.
func TestSyncStartsAfterSubscription(t *testing.T) {
	var a orderedAPI
	watch(t, func() API {
		a.calls = make(chan string, 8)
		return a
	}, nil, func(t *testing.T, _ *recorder) {
		time.Sleep(2 * time.Second)
		for _, want := range []string{"connect", "subscribe", "list"} {
			if got := <-a.calls; got != want {
				t.Errorf("call %q, want %q", got, want)
			}
		}
	})
}
