package bench_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/bench/baseline"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/dockersim"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine/docker"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance/instancetest"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/testkit"
)

// baselineNamespace is the namespace of the baseline's mirrors.
const baselineNamespace = "baseline"

// plain runs the baseline against the API server of a daemon that has no engine, with
// the same client and the same simulated engine.
type plain struct {
	*baseline.Mirrorer
	mirrors view
	engine  docker.API
}

func startPlain(b *testing.B, sim *dockersim.Engine) plain {
	b.Helper()
	d := start(b, instancetest.At(b, "bench"), docker.Settings{})
	if err := baseline.Install(b.Context(), d.config); err != nil {
		b.Fatal(err)
	}
	docker, err := docker.Dial(sim.Endpoint())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = docker.Close() })
	m, err := baseline.New(docker, d.config, baselineNamespace)
	if err != nil {
		b.Fatal(err)
	}
	return plain{Mirrorer: m, engine: docker, mirrors: newView(b, d.config, baseline.GroupVersion, baselineNamespace)}
}

// BenchmarkBaselineFullSync is BenchmarkFullSync with the baseline, which has no
// pool. Ten thousand images take minutes.
func BenchmarkBaselineFullSync(b *testing.B) {
	for _, images := range []int{100, 500, 2000, 10_000} {
		for _, latency := range []time.Duration{0, time.Millisecond, 5 * time.Millisecond} {
			if !allCombinations() && (images > 2000 || latency > time.Millisecond) {
				continue
			}
			b.Run(fmt.Sprintf("images=%d/latency=%s", images, latency), func(b *testing.B) {
				baselineFullSync(b, images, latency)
			})
		}
	}
}

func baselineFullSync(b *testing.B, images int, latency time.Duration) {
	sim := dockersim.Start(b)
	sim.Populate(images, containers, volumes)
	memory := measureMemory()
	p := startPlain(b, sim)
	sim.SetLatency(latency)
	defer sim.SetLatency(0)
	var took time.Duration
	var writes int64
	for b.Loop() {
		b.StopTimer()
		p.clean(b)
		revision := p.mirrors.revision()
		b.StartTimer()
		took += p.sync(b)
		b.StopTimer()
		writes += p.mirrors.revision() - revision
		b.StartTimer()
	}
	b.StopTimer()
	b.ReportMetric(memory.added(), "RssAnon-MB")
	reportSync(b, images, took, float64(writes)/float64(b.N))
}

func (p plain) sync(b *testing.B) time.Duration {
	b.Helper()
	began := time.Now()
	if err := p.Sync(b.Context()); err != nil {
		b.Fatal(err)
	}
	return time.Since(began)
}

func (p plain) clean(b *testing.B) time.Duration {
	b.Helper()
	began := time.Now()
	if err := p.Clean(b.Context()); err != nil {
		b.Fatal(err)
	}
	return time.Since(began)
}

// plainRunning is running for the baseline, which syncs before its event loop starts.
// It skips ten thousand mirrors, which take minutes.
func plainRunning(b *testing.B, scenario func(b *testing.B, sim *dockersim.Engine, p plain)) {
	for _, size := range populations() {
		if !allCombinations() && size.mirrors > 1000 {
			continue
		}
		b.Run(fmt.Sprintf("mirrors=%d", size.mirrors), func(b *testing.B) {
			sim := dockersim.Start(b)
			sim.Populate(size.images, size.containers, size.volumes)
			p := startPlain(b, sim)
			p.sync(b)
			scenario(b, sim, p)
		})
	}
}

// following runs a scenario while the event loop runs.
func following(scenario func(*testing.B, *dockersim.Engine, view)) func(*testing.B, *dockersim.Engine, plain) {
	return func(b *testing.B, sim *dockersim.Engine, p plain) {
		ctx, cancel := context.WithCancel(b.Context())
		events, _ := p.engine.Events(ctx, time.Time{})
		ended := make(chan error, 1)
		go func() { ended <- p.Follow(ctx, events) }()
		testkit.Eventually(b, timeout, "the event stream", func() error {
			if sim.Streams() < 2 {
				return fmt.Errorf("an event stream is missing")
			}
			return nil
		})
		scenario(b, sim, p.mirrors)
		cancel()
		if err := <-ended; err != nil {
			b.Error(err)
		}
	}
}

// BenchmarkBaselineVolumeEvent is BenchmarkVolumeEvent with the baseline.
func BenchmarkBaselineVolumeEvent(b *testing.B) { plainRunning(b, following(volumeEvents)) }

// BenchmarkBaselineContainerEvent is BenchmarkContainerEvent with the baseline.
func BenchmarkBaselineContainerEvent(b *testing.B) { plainRunning(b, following(containerEvents)) }

// BenchmarkBaselineBurst is BenchmarkBurst with the baseline.
func BenchmarkBaselineBurst(b *testing.B) { plainRunning(b, following(bursts)) }

// BenchmarkBaselineResync is BenchmarkResync with the baseline. It writes every
// mirror again, and the API server finds that nothing changed.
func BenchmarkBaselineResync(b *testing.B) {
	plainRunning(b, func(b *testing.B, _ *dockersim.Engine, p plain) {
		var took latencies
		writes := 0
		for b.Loop() {
			b.StopTimer()
			before := p.mirrors.versions()
			b.StartTimer()
			took.add(p.sync(b))
			b.StopTimer()
			writes += written(before, p.mirrors.versions())
			b.StartTimer()
		}
		b.ReportMetric(took.mean(), "ms/resync")
		b.ReportMetric(float64(writes)/float64(b.N), "writes/resync")
	})
}

// BenchmarkBaselineCleanup is BenchmarkCleanup with the baseline.
func BenchmarkBaselineCleanup(b *testing.B) {
	plainRunning(b, func(b *testing.B, _ *dockersim.Engine, p plain) {
		var took latencies
		for b.Loop() {
			b.StopTimer()
			p.sync(b)
			b.StartTimer()
			took.add(p.clean(b))
		}
		b.ReportMetric(took.mean(), "ms/cleanup")
	})
}
