package enginetest

import (
	"context"
	"fmt"
	"strings"
	"time"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/testkit"
)

// stopDelay is how long a container takes to stop. Several stops must arrive within it.
const stopDelay = time.Second

func startRules() []rule {
	return []rule{
		{"StartsCreated", func(s *scene) { s.leads(s.container(Container{}), engine.VerbStart, containersv1.ContainerRunning) }},
		{"LeavesRunningAlone", startLeavesRunningAlone},
		{"StartsExited", func(s *scene) {
			key := s.running(Container{})
			s.StopContainer(key.ID)
			s.leads(key, engine.VerbStart, containersv1.ContainerRunning)
		}},
		{"ContinuesPaused", func(s *scene) {
			key := s.running(Container{})
			s.PauseContainer(key.ID)
			s.leads(key, engine.VerbStart, containersv1.ContainerRunning)
		}},
		{"WithoutItsNetworkFails", startWithoutNetwork},
		{"OfMissingContainerIsNotFound", func(s *scene) { s.missing(engine.VerbStart) }},
		{"OfOtherKindFails", otherKindFails},
	}
}

func stopRules() []rule {
	return []rule{
		{"StopsRunning", func(s *scene) { s.leads(s.running(Container{}), engine.VerbStop, containersv1.ContainerExited) }},
		{"StopsPaused", func(s *scene) {
			key := s.running(Container{})
			s.PauseContainer(key.ID)
			s.leads(key, engine.VerbStop, containersv1.ContainerExited)
		}},
		{"StopsRestarting", func(s *scene) {
			s.leads(s.running(Container{Crashes: true}), engine.VerbStop, containersv1.ContainerExited)
		}},
		{"StopsAutoRemoved", stopsAutoRemoved},
		{"LeavesCreatedAlone", func(s *scene) { s.leads(s.container(Container{}), engine.VerbStop, containersv1.ContainerCreated) }},
		{"LeavesExitedAlone", func(s *scene) {
			key := s.running(Container{})
			s.KillContainer(key.ID)
			s.leads(key, engine.VerbStop, containersv1.ContainerExited)
		}},
		{"OfMissingContainerIsNotFound", func(s *scene) { s.missing(engine.VerbStop) }},
		{"ConcurrentStopsSendOneSignal", concurrentStops},
		{"RepeatedStopSendsNoSignal", repeatedStop},
	}
}

// leads applies a verb twice, which leads to a state. The second time nothing changes.
func (s *scene) leads(key engine.Key, verb engine.Verb, want containersv1.ContainerState) {
	s.Helper()
	s.mustDo(key, verb)
	once := s.exists(key)
	if !isIn(want)(once) {
		s.Errorf("after %s: %+v, want %s", verb, once, want)
	}
	s.mustDo(key, verb)
	if twice := s.exists(key); !twice.SameStatus(once) {
		s.Errorf("a second %s changed\n%+v to\n%+v", verb, once, twice)
	}
}

func startLeavesRunningAlone(s *scene) {
	key := s.running(Container{})
	before := s.exists(key)
	s.leads(key, engine.VerbStart, containersv1.ContainerRunning)
	if now := s.exists(key); !now.SameStatus(before) {
		s.Errorf("a start changed\n%+v to\n%+v", before, now)
	}
}

// The engine removes the network of a container that does not run.
func startWithoutNetwork(s *scene) {
	network := s.network("Suite_net")
	key := s.container(Container{Network: "Suite_net"})
	s.removes(network)
	if err := s.do(key, engine.VerbStart); err == nil || !strings.Contains(err.Error(), "not found") || engine.IsUnreachable(err) {
		s.Errorf("start: %v", err)
	}
	got := s.exists(key).(*containersv1.Container).Status
	if got.Status != containersv1.ContainerCreated || got.Error == "" || got.ExitCode == 0 {
		s.Errorf("after the start: %+v", got)
	}
}

// The engine removes the container after it has answered.
func stopsAutoRemoved(s *scene) {
	key := s.running(Container{AutoRemove: true})
	s.mustDo(key, engine.VerbStop)
	s.isRemovedSoon(key)
}

// isRemovedSoon waits until the engine has removed an object.
func (s *scene) isRemovedSoon(key engine.Key) {
	s.Helper()
	testkit.Eventually(s, reportTimeout, "the removal of "+name(key), func() error {
		if _, err := s.get(key); !engine.IsNotFound(err) {
			return fmt.Errorf("get: %w", err)
		}
		return nil
	})
}

// missing applies a verb to a container that does not exist.
func (s *scene) missing(verb engine.Verb) {
	s.Helper()
	if err := s.do(containerKey(strings.Repeat("ab", 32)), verb); !engine.IsNotFound(err) {
		s.Errorf("%s: %v, want not found", verb, err)
	}
}

func otherKindFails(s *scene) {
	for _, key := range []engine.Key{s.volume("data"), s.network("net"), imageKey(s.ImportImage(appTag), appTag), namespaceKey()} {
		for _, verb := range []engine.Verb{engine.VerbStart, engine.VerbStop, engine.VerbPause, engine.VerbUnpause, engine.VerbKill} {
			if err := s.do(key, verb); err == nil || engine.IsNotFound(err) || engine.IsConflict(err) || engine.IsUnreachable(err) {
				s.Errorf("%s of a %s: %v", verb, key.Kind, err)
			}
		}
	}
}

// Many programs end at once at the second signal.
func concurrentStops(s *scene) {
	key := s.running(Container{StopDelay: stopDelay})
	other := s.dial()
	ended := make(chan error)
	for _, e := range []engine.Engine{s.engine, other} {
		go func() { ended <- e.Do(s.Context(), key, engine.VerbStop) }()
		testkit.EventuallyTrue(s, reportTimeout, "the stop signal", func() bool { return s.StopSignals(key.ID) > 0 })
	}
	for range 2 {
		if err := <-ended; err != nil {
			s.Errorf("stop: %v", err)
		}
	}
	s.hasStoppedOnce(key)
}

// The engine continues a stop whose client has left.
func repeatedStop(s *scene) {
	key := s.running(Container{StopDelay: stopDelay})
	ctx, cancel := context.WithCancel(s.Context())
	ended := make(chan error)
	go func() { ended <- s.engine.Do(ctx, key, engine.VerbStop) }()
	testkit.EventuallyTrue(s, reportTimeout, "the stop signal", func() bool { return s.StopSignals(key.ID) > 0 })
	cancel()
	if err := <-ended; err == nil {
		s.Error("a stop ended before the container did")
	}
	s.mustDo(key, engine.VerbStop)
	s.hasStoppedOnce(key)
}

func (s *scene) hasStoppedOnce(key engine.Key) {
	s.Helper()
	if state, n := s.state(key), s.StopSignals(key.ID); state != containersv1.ContainerExited || n != 1 {
		s.Errorf("the container is %s and got %d stop signals, want one", state, n)
	}
}
