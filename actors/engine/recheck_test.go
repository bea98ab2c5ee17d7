package engine

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine/docker"
)

// scripted is an engine with one container, whose events and states a test scripts.
type scripted struct {
	quietEngine
	*script
}

type script struct {
	mu     sync.Mutex
	state  containersv1.ContainerState
	reads  []time.Time
	images []docker.ListedImage
	lists  []time.Time
	events chan docker.Event
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

func (e scripted) Events(ctx context.Context, _ time.Time) (<-chan docker.Event, <-chan error) {
	ended := make(chan error, 1)
	go func() {
		<-ctx.Done()
		ended <- ctx.Err()
	}()
	return e.events, ended
}

func (e scripted) ListContainers(context.Context) ([]string, error) { return []string{"c"}, nil }

func (e scripted) Container(context.Context, string) (*containersv1.Container, error) {
	e.mu.Lock()
	e.reads = append(e.reads, time.Now())
	hang := e.hang
	e.mu.Unlock()
	time.Sleep(hang)
	e.mu.Lock()
	defer e.mu.Unlock()
	c := &containersv1.Container{Status: containersv1.ContainerStatus{Status: e.state}}
	c.Name = "c"
	return c, nil
}

func (e scripted) ListImages(context.Context) ([]docker.ListedImage, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.lists = append(e.lists, time.Now())
	return e.images, nil
}

// withScript connects to a scripted engine, and runs a test half a second after
// the full sync.
func withScript(t *testing.T, state containersv1.ContainerState, test func(*script)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		s := &script{state: state, events: make(chan docker.Event, 1024)}
		w.dial = func(string) (docker.API, error) { return scripted{w.engine, s}, nil }
		w.send(connectTo(1))
		time.Sleep(500 * time.Millisecond)
		test(s)
	})
}

func event(kind containersv1.Kind, id, action string) docker.Event {
	return docker.Event{Kind: kind, ID: id, Action: action}
}

// buildStep is the end of a step of a classic build.
func buildStep() docker.Event {
	step := event(containersv1.KindContainer, "step", docker.ActionDestroy)
	step.ByImageID = true
	return step
}

// Row F5: a removal that fails half way ends without an event.
func TestUnlastingStateIsReadUntilItIsOver(t *testing.T) {
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
			t.Errorf("%d readings after the state has become one that lasts", n)
		}
	})
}

// Rows E10 and F5: a failed start sends the events of its networks, or none.
func TestSilentChangeIsReadWithinASecond(t *testing.T) {
	for action, want := range map[string]int{
		docker.ActionNetworkDisconnect: 1, docker.ActionNetworkConnect: 1,
		docker.ActionVolumeUnmount: 1, docker.ActionCreate: 3, "die": 1,
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
func TestNetworkEventsOfAStartCostNothing(t *testing.T) {
	withScript(t, containersv1.ContainerRunning, func(s *script) {
		began := time.Now()
		for _, action := range []string{docker.ActionNetworkConnect, docker.ActionNetworkConnect, "start"} {
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
		s.events <- event(containersv1.KindContainer, "c", docker.ActionNetworkConnect)
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

func TestResyncPauseGrows(t *testing.T) {
	longest := 5 * time.Minute
	for syncs, want := range map[int]time.Duration{
		1: 10 * time.Second, 2: 20 * time.Second, 3: 40 * time.Second, 5: 160 * time.Second, 6: longest, 100: longest,
	} {
		if got := resyncPause(syncs, longest); got != want {
			t.Errorf("after %d syncs: %s, want %s", syncs, got, want)
		}
	}
	if got := resyncPause(1, time.Second); got != time.Second {
		t.Errorf("with a shorter limit: %s", got)
	}
}
