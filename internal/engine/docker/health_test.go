package docker

import (
	"context"
	"testing"
	"time"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// probedScript is a scripted engine whose container has a health.
type probedScript struct {
	scripted
	health *containersv1.ContainerHealth
	// takes is how long a reading takes.
	takes time.Duration
}

// Inspect implements API.
func (e probedScript) Inspect(ctx context.Context, kind containersv1.Kind, id string) ([]containersv1.Mirror, error) {
	mirrors, err := e.scripted.Inspect(ctx, kind, id)
	e.mu.Lock()
	mirrors[0].(*containersv1.Container).Status.Health = *e.health
	e.mu.Unlock()
	select {
	case <-time.After(e.takes):
		return mirrors, err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// withHealth runs a test beside the watch of an engine with a probed container, which
// answers at once.
func withHealth(t *testing.T, health containersv1.ContainerHealth, test func(s *script, probe func(now containersv1.ContainerHealth, failed bool))) {
	t.Helper()
	withSlowHealth(t, 0, health, test)
}

func withSlowHealth(t *testing.T, takes time.Duration, health containersv1.ContainerHealth, test func(s *script, probe func(now containersv1.ContainerHealth, failed bool))) {
	t.Helper()
	s := &script{state: containersv1.ContainerRunning}
	watch(t, func() API {
		s.events = make(chan Event, 1024)
		return probedScript{scripted{script: s}, &health, takes}
	}, nil, func(*testing.T, *recorder) {
		time.Sleep(500 * time.Millisecond)
		test(s, func(now containersv1.ContainerHealth, failed bool) {
			s.mu.Lock()
			health = now
			s.mu.Unlock()
			end := event(containersv1.KindContainer, "c", ActionExecEnd)
			end.Failed = failed
			s.events <- end
			time.Sleep(time.Second)
		})
	})
}

// syncsPerHour is more than the full syncs of an hour, which read the container too.
const syncsPerHour = 20

func TestProbesThatSucceedCostNoReading(t *testing.T) {
	healthy := containersv1.ContainerHealth{Status: containersv1.HealthHealthy, Output: "ok"}
	withHealth(t, healthy, func(s *script, probe func(containersv1.ContainerHealth, bool)) {
		began := time.Now()
		for range 3600 {
			probe(healthy, false)
		}
		if n := s.readsSince(began); n > syncsPerHour {
			t.Errorf("%d readings in an hour, want those of full syncs", n)
		}
	})
}

// One reading stands for the probes of the pause before it, and the pauses grow.
func TestProbesThatFailCostFewReadings(t *testing.T) {
	failing := containersv1.ContainerHealth{Status: containersv1.HealthUnhealthy, FailingStreak: 3}
	withHealth(t, failing, func(s *script, probe func(containersv1.ContainerHealth, bool)) {
		began := time.Now()
		for i := range 3600 {
			failing.Output = time.Duration(i).String() // the output alone does not make it urgent
			probe(failing, true)
		}
		if n := s.readsSince(began); n < 3600/32 || n > 3600/14+syncsPerHour {
			t.Errorf("%d readings in an hour, want one in 15 to 30 s", n)
		}
	})
}

// The first failure is read soon, and so is the recovery, which has no event either
// while the container stays healthy.
func TestFailingStreakIsReadSoon(t *testing.T) {
	healthy := containersv1.ContainerHealth{Status: containersv1.HealthHealthy}
	withHealth(t, healthy, func(s *script, probe func(containersv1.ContainerHealth, bool)) {
		began := time.Now()
		probe(containersv1.ContainerHealth{Status: containersv1.HealthHealthy, FailingStreak: 1}, true)
		time.Sleep(2 * time.Second)
		if n := s.readsSince(began); n != 1 {
			t.Errorf("%d readings after a probe that failed, want one", n)
		}
		began = time.Now()
		probe(healthy, false)
		time.Sleep(2 * time.Second)
		if n := s.readsSince(began); n != 1 {
			t.Errorf("%d readings after a probe that succeeded again, want one", n)
		}
	})
}

// A probe that ends while the container is read is not in that reading.
func TestProbeDuringReadingIsReadLater(t *testing.T) {
	healthy := containersv1.ContainerHealth{Status: containersv1.HealthHealthy}
	withSlowHealth(t, 1500*time.Millisecond, healthy, func(s *script, probe func(containersv1.ContainerHealth, bool)) {
		began := time.Now()
		for range 60 {
			healthy.FailingStreak++
			probe(healthy, true)
		}
		if n := s.readsSince(began); n < 10 {
			t.Errorf("%d readings in a minute of probes that fail, want at least 10", n)
		}
	})
}

func TestExecWithoutHealthCheckCostsNoReading(t *testing.T) {
	withScript(t, containersv1.ContainerRunning, func(s *script) {
		began := time.Now()
		failed := event(containersv1.KindContainer, "c", ActionExecEnd)
		failed.Failed = true
		s.events <- failed
		time.Sleep(5 * time.Second)
		if n := s.readsSince(began); n != 0 {
			t.Errorf("%d readings, want none", n)
		}
	})
}
