package bench_test

import (
	"sync/atomic"
	"testing"
	"time"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/dockersim"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine/docker"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
)

// BenchmarkResync measures from the end of the event stream until the daemon has
// reconnected and compared every object. Nothing has changed. The time includes the
// pause of 50 ms before the new connection.
func BenchmarkResync(b *testing.B) { running(b, resync) }

func resync(b *testing.B, sim *dockersim.Engine, d *daemon, _ instance.Instance) {
	mirrors := d.mirrors()
	app := d.watchApp()
	defer app.stop()
	var took latencies
	writes := 0
	for b.Loop() {
		b.StopTimer()
		before := mirrors.versions()
		b.StartTimer()
		began := time.Now()
		sim.CloseStreams()
		app.await(0, appv1.ConditionEngineReady, false)
		app.await(0, appv1.ConditionEngineReady, true)
		took.add(time.Since(began))
		b.StopTimer()
		writes += written(before, mirrors.versions())
		b.StartTimer()
	}
	b.ReportMetric(took.mean(), "ms/resync")
	b.ReportMetric(float64(writes)/float64(b.N), "writes/resync")
}

// BenchmarkRecovery measures the recovery from the first answer of an engine that was
// down. Its containers have exited meanwhile.
func BenchmarkRecovery(b *testing.B) { running(b, recovery) }

func recovery(b *testing.B, sim *dockersim.Engine, d *daemon, _ instance.Instance) {
	app := d.watchApp()
	defer app.stop()
	var took latencies
	for b.Loop() {
		b.StopTimer()
		if err := sim.Refuse(); err != nil {
			b.Fatal(err)
		}
		app.await(0, appv1.ConditionEngineReady, false)
		if err := sim.Restart(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		began := time.Now()
		app.await(0, appv1.ConditionEngineReady, true)
		took.add(time.Since(began))
	}
	b.ReportMetric(took.mean(), "ms/recovery")
}

// BenchmarkRestart stops the daemon and starts another with its directories. ms/restart
// is the time from the call of Run until every object has been compared, ms/sync that
// from the first list of the engine's containers until then.
func BenchmarkRestart(b *testing.B) { running(b, restart) }

func restart(b *testing.B, sim *dockersim.Engine, d *daemon, inst instance.Instance) {
	var whole, sync latencies
	writes := 0
	for b.Loop() {
		b.StopTimer()
		before := d.mirrors().versions()
		d.stop()
		var listed atomic.Int64
		sim.Inject("GET /containers/json", dockersim.Fault{Times: 1, Do: func() { listed.Store(time.Now().UnixNano()) }})
		b.StartTimer()
		began := time.Now()
		d = start(b, inst, docker.Settings{})
		app := d.watchApp()
		app.await(0, appv1.ConditionEngineReady, true)
		ready := time.Now()
		app.stop()
		whole.add(ready.Sub(began))
		sync.add(ready.Sub(time.Unix(0, listed.Load())))
		b.StopTimer()
		writes += written(before, d.mirrors().versions())
		b.StartTimer()
	}
	b.ReportMetric(whole.mean(), "ms/restart")
	b.ReportMetric(sync.mean(), "ms/sync")
	b.ReportMetric(float64(writes)/float64(b.N), "writes/restart")
}

// BenchmarkCleanup measures from running=false until no mirror is left.
func BenchmarkCleanup(b *testing.B) { running(b, cleanup) }

func cleanup(b *testing.B, sim *dockersim.Engine, d *daemon, _ instance.Instance) {
	mirrors := d.mirrors()
	var took latencies
	for b.Loop() {
		b.StopTimer()
		d.connect(sim)
		b.StartTimer()
		took.add(d.updateApp(func(s *appv1.AppSpec) { s.Running = false }))
		b.StopTimer()
		if left := mirrors.versions(); len(left) > 0 {
			b.Fatalf("%d mirrors are left", len(left))
		}
		b.StartTimer()
	}
	b.ReportMetric(took.mean(), "ms/cleanup")
}
