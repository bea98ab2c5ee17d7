package bench_test

import (
	"testing"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine/docker"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance/instancetest"
)

// BenchmarkStart measures from the call of Run until the daemon reports that it is
// ready: with an empty directory, and with that of the previous start.
func BenchmarkStart(b *testing.B) {
	b.Run("first", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			inst := instancetest.At(b, "bench")
			b.StartTimer()
			d := start(b, inst, docker.Settings{})
			b.StopTimer()
			d.stop()
			b.StartTimer()
		}
	})
	b.Run("later", func(b *testing.B) {
		inst := instancetest.At(b, "bench")
		start(b, inst, docker.Settings{}).stop()
		for b.Loop() {
			d := start(b, inst, docker.Settings{})
			b.StopTimer()
			d.stop()
			b.StartTimer()
		}
	})
}
