package supervisor

import (
	"testing"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/dockersim"
)

// BenchmarkFullSync measures from the wish for an engine until each of its 700
// objects is mirrored, and the other way.
func BenchmarkFullSync(b *testing.B) {
	sim := dockersim.Start(b)
	sim.Populate(500, 100, 100)
	r := start(b, testInstance(b))
	r.connect(sim)
	b.ResetTimer()
	b.StopTimer()
	for range b.N {
		r.wish(func(s *appv1.AppSpec) { s.Running = false })
		b.StartTimer()
		r.wish(func(s *appv1.AppSpec) { s.Running = true })
		b.StopTimer()
	}
}
