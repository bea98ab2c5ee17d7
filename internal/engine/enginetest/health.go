package enginetest

import (
	"strings"
	"time"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/api/meta"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
)

func healthRules() []rule {
	return []rule{
		{"NoneWithoutHealthCheck", noHealthCheck},
		{"StatusIsReported", healthStatusIsReported},
		{"OutputOfFailingProbeIsReported", failingOutputIsReported},
		{"OutputIsCut", probeOutputIsCut},
		{"RestartStartsAgain", restartedHealthStarts},
		{"PausedIsUnhealthy", pausedIsUnhealthy},
	}
}

// health returns the health of a container.
func health(m containersv1.Mirror) containersv1.ContainerHealth {
	return m.(*containersv1.Container).Status.Health
}

// hasHealth returns a condition that a container with a status of health meets.
func hasHealth(status containersv1.HealthStatus) func(containersv1.Mirror) bool {
	return func(m containersv1.Mirror) bool { return health(m).Status == status }
}

func noHealthCheck(s *scene) {
	key := s.running(Container{})
	c := s.exists(key).(*containersv1.Container)
	if want := (containersv1.ContainerHealth{Status: containersv1.HealthNone}); c.Status.Health != want {
		s.Errorf("the health is %+v", c.Status.Health)
	}
	if meta.FindStatusCondition(c.Status.Conditions, containersv1.ConditionHealthy) != nil {
		s.Errorf("a container without a health check has the conditions %+v", c.Status.Conditions)
	}
}

// The condition Healthy follows the status.
func healthStatusIsReported(s *scene) {
	key := s.running(Container{Probed: true})
	r := s.watch()
	for _, healthy := range []bool{true, false, true} {
		change := time.Now()
		s.SetHealth(key.ID, healthy, "words")
		want := containersv1.ContainerHealth{Status: containersv1.HealthHealthy, Output: "words"}
		if !healthy {
			want.Status, want.FailingStreak = containersv1.HealthUnhealthy, HealthRetries
		}
		r.sees(change, key, func(m containersv1.Mirror) bool {
			conditions := *m.MirrorConditions()
			return health(m) == want && healthy == meta.IsStatusConditionTrue(conditions, containersv1.ConditionHealthy) &&
				healthy != meta.IsStatusConditionFalse(conditions, containersv1.ConditionHealthy)
		})
	}
}

// No event of the health reports that the output changes.
func failingOutputIsReported(s *scene) {
	key := s.running(Container{Probed: true})
	s.SetHealth(key.ID, false, "first words")
	r := s.watch()
	r.sees(time.Time{}, key, hasHealth(containersv1.HealthUnhealthy))
	change := time.Now()
	s.SetHealth(key.ID, false, "other words")
	r.sees(change, key, func(m containersv1.Mirror) bool { return health(m).Output == "other words" })
}

func probeOutputIsCut(s *scene) {
	key := s.running(Container{Probed: true})
	s.SetHealth(key.ID, false, "x"+strings.Repeat("é", containersv1.MaxHealthOutput))
	output := health(s.exists(key)).Output
	if len(output) != containersv1.MaxHealthOutput-1 || !utf8.ValidString(output) {
		s.Errorf("the output has %d bytes: %q", len(output), output)
	}
}

func restartedHealthStarts(s *scene) {
	key := s.running(Container{Probed: true})
	s.SetHealth(key.ID, true, "")
	s.StopContainer(key.ID)
	if got := health(s.exists(key)); got.Status != containersv1.HealthUnhealthy {
		s.Errorf("a container that has stopped is %+v", got)
	}
	r := s.watch()
	change := time.Now()
	s.StartContainer(key.ID)
	r.sees(change, key, func(m containersv1.Mirror) bool { // the first probe may have succeeded
		return hasHealth(containersv1.HealthStarting)(m) || hasHealth(containersv1.HealthHealthy)(m)
	})
}

// The engine reports the pause, and no change of the health.
func pausedIsUnhealthy(s *scene) {
	key := s.running(Container{Probed: true})
	s.SetHealth(key.ID, true, "")
	r := s.watch()
	for _, change := range []struct {
		do   func(string)
		want containersv1.HealthStatus
	}{
		{s.PauseContainer, containersv1.HealthUnhealthy},
		{func(id string) { s.UnpauseContainer(id); s.SetHealth(id, true, "") }, containersv1.HealthHealthy},
	} {
		begin := time.Now()
		change.do(key.ID)
		r.sees(begin, engine.Key{Kind: key.Kind, ID: key.ID}, hasHealth(change.want))
	}
}
