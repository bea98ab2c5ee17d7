package docker

import (
	"context"
	"sync"
	"testing"
	"time"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
)

// scripted is an engine with one container, whose events and states a test scripts.
type scripted struct {
	quietAPI
	*script
}

type script struct {
	mu     sync.Mutex
	state  containersv1.ContainerState
	reads  []time.Time
	images []Listed
	lists  []time.Time
	events chan Event
	// hang is how long an inspect takes.
	hang time.Duration
}

func (s *script) set(state containersv1.ContainerState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state = state
}

func (s *script) readsSince(at time.Time) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, read := range s.reads {
		if !read.Before(at) {
			n++
		}
	}
	return n
}

func (s *script) listsSince(at time.Time) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, list := range s.lists {
		if !list.Before(at) {
			n++
		}
	}
	return n
}

func (e scripted) Events(ctx context.Context, _ time.Time) (<-chan Event, <-chan error) {
	return e.events, endedWith(ctx)
}

func (e scripted) List(ctx context.Context, kind containersv1.Kind) ([]Listed, error) {
	switch kind {
	case containersv1.KindContainer:
		return listedIDs("c"), nil
	case containersv1.KindImage:
		e.mu.Lock()
		defer e.mu.Unlock()
		e.lists = append(e.lists, time.Now())
		return e.images, nil
	default:
		return e.quietAPI.List(ctx, kind)
	}
}

func (e scripted) Inspect(context.Context, containersv1.Kind, string) ([]containersv1.Mirror, error) {
	e.mu.Lock()
	e.reads = append(e.reads, time.Now())
	hang := e.hang
	e.mu.Unlock()
	time.Sleep(hang)
	e.mu.Lock()
	defer e.mu.Unlock()
	c := &containersv1.Container{Status: containersv1.ContainerStatus{Status: e.state}}
	c.Name = "c"
	return []containersv1.Mirror{c}, nil
}

// withScript runs a test beside the watch of a scripted engine, half a second after
// the full sync.
func withScript(t *testing.T, state containersv1.ContainerState, test func(*script)) {
	t.Helper()
	s := &script{state: state}
	watch(t, func() API {
		s.events = make(chan Event, 1024)
		return scripted{script: s}
	}, nil, func(*testing.T, *recorder) {
		time.Sleep(500 * time.Millisecond)
		test(s)
	})
}

func event(kind containersv1.Kind, id, action string) Event {
	return Event{Kind: kind, ID: id, Action: action}
}

// buildStep is the end of a step of a classic build.
func buildStep() Event {
	step := event(containersv1.KindContainer, "step", ActionDestroy)
	step.ByImageID = true
	return step
}

// Row F5: a removal that fails half way ends without an event.
func TestTransientStateIsReadUntilItEnds(t *testing.T) {
	withScript(t, containersv1.ContainerRemoving, func(s *script) {
		began := time.Now()
		time.Sleep(5 * time.Second)
		if n := s.readsSince(began); n < 3 || n > 12 {
			t.Errorf("%d readings in 5 s, want some, at growing pauses", n)
		}
		s.set(containersv1.ContainerDead)
		time.Sleep(4500 * time.Millisecond)
		over := time.Now()
		time.Sleep(9 * time.Second) // with the second full sync
		if n := s.readsSince(over); n > 1 {
			t.Errorf("%d readings after the state became stable", n)
		}
	})
}

// A mirror reads its container after the engine has refused a call.
func TestTransientStateOfGetIsReadUntilItEnds(t *testing.T) {
	s := &script{state: containersv1.ContainerCreated}
	api := scripted{script: s}
	watch(t, func() API {
		s.events = make(chan Event, 1)
		return api
	}, nil, func(t *testing.T, r *recorder) {
		time.Sleep(500 * time.Millisecond)
		s.set(containersv1.ContainerRemoving)
		if _, err := r.engine.Get(t.Context(), engine.Key{Kind: containersv1.KindContainer, ID: "c"}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		s.set(containersv1.ContainerDead)
		time.Sleep(2 * time.Second)
		isDead := func(ev engine.Event) bool {
			object, ok := ev.(engine.Object)
			c, isContainer := object.Mirror.(*containersv1.Container)
			return ok && isContainer && c.Status.Status == containersv1.ContainerDead
		}
		if r.index(isDead) < 0 {
			t.Error("the end of the removal is not reported")
		}
	})
}

// Rows E10 and F5: a failed start sends the events of its networks, or none.
func TestSilentChangeIsReadWithinSecond(t *testing.T) {
	for action, want := range map[string]int{
		ActionNetworkDisconnect: 1, ActionNetworkConnect: 1,
		ActionVolumeUnmount: 1, ActionCreate: 3, "die": 1,
	} {
		t.Run(action, func(t *testing.T) {
			withScript(t, containersv1.ContainerCreated, func(s *script) {
				began := time.Now()
				s.events <- event(containersv1.KindContainer, "c", action)
				time.Sleep(5 * time.Second)
				if n := s.readsSince(began); n != want {
					t.Errorf("%d readings, want %d", n, want)
				}
			})
		})
	}
}

// A start that succeeds costs one reading, whatever its networks send.
func TestNetworkEventsOfStartCostNoReading(t *testing.T) {
	withScript(t, containersv1.ContainerRunning, func(s *script) {
		began := time.Now()
		for _, action := range []string{ActionNetworkConnect, ActionNetworkConnect, "start"} {
			s.events <- event(containersv1.KindContainer, "c", action)
		}
		time.Sleep(5 * time.Second)
		if n := s.readsSince(began); n != 1 {
			t.Errorf("%d readings, want one", n)
		}
	})
}

// Row F5: a reading that began before an event does not show what the event changed.
func TestConnectDuringInspectIsReadAfterIt(t *testing.T) {
	withScript(t, containersv1.ContainerRunning, func(s *script) {
		s.mu.Lock()
		s.hang = 100 * time.Millisecond
		s.mu.Unlock()
		s.events <- event(containersv1.KindContainer, "c", "start")
		time.Sleep(50 * time.Millisecond)
		connected := time.Now()
		s.events <- event(containersv1.KindContainer, "c", ActionNetworkConnect)
		time.Sleep(time.Second)
		if n := s.readsSince(connected); n != 1 {
			t.Errorf("%d readings after the connect event, want one", n)
		}
	})
}

// Row F5: a burst of events costs one list, or one more for what came meanwhile.
func TestBurstOfImageEventsCostsOneList(t *testing.T) {
	withScript(t, containersv1.ContainerRunning, func(s *script) {
		began := time.Now()
		for range 500 {
			s.events <- buildStep()
		}
		time.Sleep(5 * time.Second)
		if n := s.listsSince(began); n != 1 {
			t.Errorf("%d lists, want one", n)
		}
	})
}
