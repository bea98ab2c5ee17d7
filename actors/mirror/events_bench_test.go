package mirror

import (
	"log/slog"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/runtime"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// countedEvents counts the events that are recorded.
type countedEvents struct{ count int }

// Event implements kube.Recorder.
func (c *countedEvents) Event(runtime.Object, string, string, string) { c.count++ }

// eventful returns a mirror, and versions of its resource of which each is a change from
// the one before.
func eventful(events *countedEvents, change func(*containersv1.ContainerStatus)) (m *mirror, versions []containersv1.Mirror) {
	m = New(Config{Kind: containersv1.KindContainer, Name: "c1", Logger: slog.New(slog.DiscardHandler), Events: events}).(*mirror)
	quiet, other := withUID(resource(), "u1", "5"), withUID(resource(), "u1", "6")
	change(&other.Status)
	m.view.resource = quiet
	return m, []containersv1.Mirror{quiet, other}
}

// A change of a container that is no event costs no memory and no call.
func TestOrdinaryChangeCostsNoEvent(t *testing.T) {
	for name, change := range map[string]func(*containersv1.ContainerStatus){
		"start": func(s *containersv1.ContainerStatus) {
			s.Status, s.StartedAt = containersv1.ContainerRunning, microTime(time.Now())
		},
		"health":  func(s *containersv1.ContainerStatus) { s.Health.Status = containersv1.HealthHealthy },
		"restart": func(s *containersv1.ContainerStatus) { s.RestartCount++ },
		"end": func(s *containersv1.ContainerStatus) {
			s.Status, s.FinishedAt = containersv1.ContainerExited, microTime(time.Now())
		},
	} {
		events := &countedEvents{}
		m, versions := eventful(events, change)
		if allocs := testing.AllocsPerRun(1000, func() { m.recordChange(versions[0], versions[1]) }); allocs > 0 || events.count > 0 {
			t.Errorf("%s: %v allocations, %d events, want none", name, allocs, events.count)
		}
	}
}

// BenchmarkRecordChange measures what the recording of events adds to a change of a
// container: an ordinary one, and one that is an event. The event is only counted here.
func BenchmarkRecordChange(b *testing.B) {
	for name, change := range map[string]func(*containersv1.ContainerStatus){
		"ordinary": func(s *containersv1.ContainerStatus) { s.Status = containersv1.ContainerRunning },
		"event":    func(s *containersv1.ContainerStatus) { *s = oomKilled(time.Now()) },
	} {
		b.Run(name, func(b *testing.B) {
			m, versions := eventful(&countedEvents{}, change)
			b.ReportAllocs()
			for b.Loop() {
				m.recordChange(versions[0], versions[1])
			}
		})
	}
}
