package enginetest

import (
	"context"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/testkit"
)

func pauseRules() []rule {
	return []rule{
		{"PausesRunning", func(s *scene) { s.reaches(s.running(Container{}), engine.VerbPause, containersv1.ContainerPaused) }},
		{"OfPausedIsRefused", func(s *scene) { s.refusesVerb(s.paused(), engine.VerbPause, "is already paused") }},
		{"OfCreatedIsRefused", func(s *scene) { s.refusesVerb(s.container(Container{}), engine.VerbPause, "is not running") }},
		{"OfMissingContainerIsNotFound", func(s *scene) { s.missing(engine.VerbPause) }},
		{"UnpausesPaused", func(s *scene) { s.reaches(s.paused(), engine.VerbUnpause, containersv1.ContainerRunning) }},
		{"UnpauseOfRunningIsRefused", func(s *scene) { s.refusesVerb(s.running(Container{}), engine.VerbUnpause, "is not paused") }},
		{"UnpauseOfMissingContainerIsNotFound", func(s *scene) { s.missing(engine.VerbUnpause) }},
		{"OfOtherKindFails", otherKindFails},
	}
}

func killRules() []rule {
	return []rule{
		{"KillsRunning", func(s *scene) { s.kills(s.running(Container{})) }},
		{"KillsPaused", func(s *scene) { s.kills(s.paused()) }},
		{"KillsSlowAtOnce", func(s *scene) {
			key := s.running(Container{StopDelay: stopDelay})
			s.kills(key)
			if n := s.StopSignals(key.ID); n != 0 {
				s.Errorf("the container got %d stop signals", n)
			}
		}},
		{"OfExitedIsRefused", func(s *scene) {
			key := s.running(Container{})
			s.KillContainer(key.ID)
			s.refusesVerb(key, engine.VerbKill, "is not running")
		}},
		{"OfCreatedIsRefused", func(s *scene) { s.refusesVerb(s.container(Container{}), engine.VerbKill, "is not running") }},
		{"OfMissingContainerIsNotFound", func(s *scene) { s.missing(engine.VerbKill) }},
	}
}

func restartRules() []rule {
	return []rule{
		{"RestartsRunning", func(s *scene) { s.restarts(s.running(Container{})) }},
		{"RestartsPaused", func(s *scene) { s.restarts(s.paused()) }},
		{"StartsCreated", func(s *scene) { s.restarts(s.container(Container{})) }},
		{"StartsExited", func(s *scene) {
			key := s.running(Container{})
			s.KillContainer(key.ID)
			s.restarts(key)
		}},
		{"KeepsAutoRemoved", func(s *scene) { s.restarts(s.running(Container{AutoRemove: true})) }},
		{"LeavesLaterRunAlone", restartLeavesLaterRun},
		{"RepeatedRestartRestartsOnce", repeatedRestart},
		{"DuringStopSendsNoSignal", restartDuringStop},
		{"WithoutItsNetworkFails", restartWithoutNetwork},
		{"OfMissingContainerIsNotFound", func(s *scene) {
			if err := s.restart(containerKey(strings.Repeat("ab", 32)), nil); !engine.IsNotFound(err) {
				s.Errorf("restart: %v, want not found", err)
			}
		}},
		{"OfOtherKindFails", func(s *scene) {
			if err := s.restart(s.volume("data"), nil); err == nil || engine.IsNotFound(err) || engine.IsUnreachable(err) {
				s.Errorf("restart of a volume: %v", err)
			}
		}},
	}
}

// paused creates a container of a new image, and starts and pauses it.
func (s *scene) paused() engine.Key {
	s.Helper()
	key := s.running(Container{})
	s.PauseContainer(key.ID)
	return key
}

// reaches applies a verb once, which leads to a state in the same run.
func (s *scene) reaches(key engine.Key, verb engine.Verb, want containersv1.ContainerState) {
	s.Helper()
	before := s.startedAt(key)
	s.mustDo(key, verb)
	if now := s.exists(key); !isIn(want)(now) || !s.startedAt(key).Equal(before) {
		s.Errorf("after %s: %+v, want %s", verb, now, want)
	}
}

// refusesVerb checks that the engine refuses a verb in its own words, alone, and changes
// nothing.
func (s *scene) refusesVerb(key engine.Key, verb engine.Verb, want string) {
	s.Helper()
	before := s.exists(key)
	err := s.do(key, verb)
	if err == nil || engine.IsUnreachable(err) || engine.IsNotFound(err) {
		s.Fatalf("%s %s: %v, want a refusal", verb, name(key), err)
	}
	if words := strings.ToLower(err.Error()); !strings.Contains(words, want) || strings.HasPrefix(words, "error") {
		s.Errorf("%s %s: %q, want the engine's %q", verb, name(key), err, want)
	}
	if now := s.exists(key); !now.SameStatus(before) {
		s.Errorf("a refused %s changed\n%+v to\n%+v", verb, before, now)
	}
}

func (s *scene) kills(key engine.Key) {
	s.Helper()
	s.reaches(key, engine.VerbKill, containersv1.ContainerExited)
	const killed = 128 + 9
	if code := s.exists(key).(*containersv1.Container).Status.ExitCode; code != killed {
		s.Errorf("exit code %d after a kill, want %d", code, killed)
	}
}

func (s *scene) startedAt(key engine.Key) *metav1.MicroTime {
	s.Helper()
	return s.exists(key).(*containersv1.Container).Status.StartedAt
}

func (s *scene) restart(key engine.Key, startedAt *metav1.MicroTime) error {
	ctx, cancel := context.WithTimeout(s.Context(), callTimeout)
	defer cancel()
	return s.engine.Restart(ctx, key, startedAt)
}

// restarts restarts a container, and repeats the call for the same run, which changes
// nothing.
func (s *scene) restarts(key engine.Key) {
	s.Helper()
	before := s.startedAt(key)
	if err := s.restart(key, before); err != nil {
		s.Fatalf("restart %s: %v", name(key), err)
	}
	once := s.exists(key)
	if !isIn(containersv1.ContainerRunning)(once) || s.startedAt(key).Equal(before) {
		s.Errorf("after a restart: %+v, want a new run", once)
	}
	if err := s.restart(key, before); err != nil {
		s.Errorf("a second restart of %s: %v", name(key), err)
	}
	if twice := s.exists(key); !twice.SameStatus(once) {
		s.Errorf("a second restart of one run changed\n%+v to\n%+v", once, twice)
	}
}

func restartLeavesLaterRun(s *scene) {
	key := s.running(Container{})
	former := s.startedAt(key)
	s.KillContainer(key.ID)
	s.StartContainer(key.ID)
	s.KillContainer(key.ID)
	before := s.exists(key)
	if err := s.restart(key, former); err != nil {
		s.Errorf("restart: %v", err)
	}
	if now := s.exists(key); !now.SameStatus(before) {
		s.Errorf("a restart of a former run changed\n%+v to\n%+v", before, now)
	}
}

// The engine continues a restart whose client has left.
func repeatedRestart(s *scene) {
	key := s.running(Container{StopDelay: stopDelay})
	before := s.startedAt(key)
	ctx, cancel := context.WithCancel(s.Context())
	ended := make(chan error)
	go func() { ended <- s.engine.Restart(ctx, key, before) }()
	testkit.EventuallyTrue(s, reportTimeout, "the stop signal", func() bool { return s.StopSignals(key.ID) > 0 })
	cancel()
	if err := <-ended; err == nil {
		s.Error("a restart ended before the container did")
	}
	other := s.dial() // as a new process has it
	if err := other.Restart(s.Context(), key, before); err != nil {
		s.Errorf("a repeated restart: %v", err)
	}
	s.runsAgain(key, before)
}

// runsAgain checks that a container has been restarted with one stop signal.
func (s *scene) runsAgain(key engine.Key, before *metav1.MicroTime) {
	s.Helper()
	if n := s.StopSignals(key.ID); s.state(key) != containersv1.ContainerRunning || s.startedAt(key).Equal(before) || n != 1 {
		s.Errorf("the container is %s since %s and got %d stop signals, want one", s.state(key), s.startedAt(key), n)
	}
}

func restartDuringStop(s *scene) {
	key := s.running(Container{StopDelay: stopDelay})
	before := s.startedAt(key)
	other := s.dial()
	ended := make(chan error)
	go func() { ended <- other.Do(s.Context(), key, engine.VerbStop) }()
	testkit.EventuallyTrue(s, reportTimeout, "the stop signal", func() bool { return s.StopSignals(key.ID) > 0 })
	if err := s.restart(key, before); err != nil {
		s.Errorf("restart: %v", err)
	}
	if err := <-ended; err != nil {
		s.Errorf("stop: %v", err)
	}
	s.runsAgain(key, before)
}

func restartWithoutNetwork(s *scene) {
	network := s.network("Suite_net")
	key := s.container(Container{Network: "Suite_net"})
	s.removes(network)
	if err := s.restart(key, nil); err == nil || !strings.Contains(err.Error(), "not found") || engine.IsUnreachable(err) {
		s.Errorf("restart: %v", err)
	}
	if state := s.state(key); state != containersv1.ContainerCreated {
		s.Errorf("after the restart the container is %s", state)
	}
}
