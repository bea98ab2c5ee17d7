package bench_test

import (
	"testing"

	"github.com/rancher-sandbox/rancher-desktop-daemon/actors/engine"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance/instancetest"
)

// BenchmarkStart measures from the call of Run until a client is told that the
// daemon is ready: with an empty directory, and with that of the start before.
func BenchmarkStart(b *testing.B) {
	b.Run("first", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			inst := instancetest.At(b, "bench")
			b.StartTimer()
			d := start(b, inst, engine.Settings{})
			b.StopTimer()
			d.leave()
			b.StartTimer()
		}
	})
	b.Run("later", func(b *testing.B) {
		inst := instancetest.At(b, "bench")
		start(b, inst, engine.Settings{}).leave()
		for b.Loop() {
			d := start(b, inst, engine.Settings{})
			b.StopTimer()
			d.leave()
			b.StartTimer()
		}
	})
}
