package bench_test

import (
	"fmt"
	"os"
	"testing"
	"time"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/dockersim"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine/docker"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance/instancetest"
)

const (
	// containers and volumes are added to any number of images.
	containers = 100
	volumes    = 100
)

// allCombinations reports whether the combinations that take long are measured, too.
func allCombinations() bool { return os.Getenv("RDD_BENCH_ALL") != "" }

// inDefault reports whether a combination is measured by default. Ten thousand images
// take ten times as long as all others of a line, and two thousand show the effect of
// pool and latency.
func inDefault(images int, latency time.Duration, pool int) bool {
	return images < 10_000 || pool == 8 && latency <= time.Millisecond
}

// BenchmarkFullSync measures from running=true until each object is mirrored: the
// images, 100 containers and 100 volumes. Each call of the engine takes the latency.
// pool is the number of concurrent calls of rdd.
func BenchmarkFullSync(b *testing.B) {
	for _, images := range []int{100, 500, 2000, 10_000} {
		for _, latency := range []time.Duration{0, time.Millisecond, 5 * time.Millisecond} {
			for _, pool := range []int{1, 4, 8, 16} {
				if !allCombinations() && !inDefault(images, latency, pool) {
					continue
				}
				b.Run(fmt.Sprintf("images=%d/latency=%s/pool=%d", images, latency, pool), func(b *testing.B) {
					fullSync(b, images, latency, pool)
				})
			}
		}
	}
}

func fullSync(b *testing.B, images int, latency time.Duration, pool int) {
	sim := dockersim.Start(b)
	sim.Populate(images, containers, volumes)
	memory := measureMemory()
	d := start(b, instancetest.At(b, "bench"), docker.Settings{Pool: pool})
	mirrors := d.mirrors()
	sim.SetLatency(latency)
	defer sim.SetLatency(0)
	var took time.Duration
	var writes int64
	for b.Loop() {
		b.StopTimer()
		d.updateApp(func(s *appv1.AppSpec) { s.Running = false })
		revision := mirrors.revision()
		b.StartTimer()
		began := time.Now()
		d.connect(sim)
		took += time.Since(began)
		b.StopTimer()
		writes += mirrors.revision() - revision
		b.StartTimer()
	}
	b.StopTimer()
	b.ReportMetric(memory.added(), "RssAnon-MB")
	reportSync(b, images, took, float64(writes)/float64(b.N))
}

// reportSync adds the metrics of every full sync.
func reportSync(b *testing.B, images int, took time.Duration, writes float64) {
	objects := float64(images + containers + volumes + 1) // and the engine's namespace
	b.ReportMetric(ms(took)/float64(b.N), "ms/sync")
	b.ReportMetric(objects*float64(b.N)/took.Seconds(), "objects/s")
	b.ReportMetric(writes, "writes/sync")
	b.ReportMetric(writes/objects, "writes/object")
}
