package supervisor

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/apimachinery/pkg/types"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/cluster"
	simengine "github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/engine"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/fate"
)

var (
	simSeeds = flag.Int("seeds", 200, "how many seeds TestSimulation runs")
	simFirst = flag.Uint64("first", 1, "the first seed of TestSimulation")
	simSeed  = flag.Uint64("seed", 0, "the one seed that TestSimulation runs, with its whole trace")
)

// Bounds of a run.
const (
	// convergeWithin is how long after the last fault all must be well: the
	// longest back-off of a refused wish is 5 minutes, of a hung call 90 s.
	convergeWithin = 15 * time.Minute
	// hungFor is how long a call from the time of the faults may still hang.
	hungFor = 6 * time.Minute
	// quietFor is how long nothing may be written once all is well.
	quietFor = 3 * time.Minute
	// maxSteps is the number of messages after which a run is a hot loop.
	maxSteps = 400_000
	// maxDeadLetters is how many messages of a run may reach nobody: those on their
	// way to an actor that ends. 4 were the most in 3,000 runs.
	maxDeadLetters = 25
	// shortBlip is how long an engine may be away and yet be connected again, by
	// the session's pauses and a full sync, within the time of grace.
	shortBlip = 12 * time.Second
)

// result is what a run came to.
type result struct {
	hash      uint64
	steps     int
	converged time.Duration
	violated  []string
	end       []string
	counts    map[string]int
	failures  int
	dead      int
}

// simulate runs one seed.
func simulate(t *testing.T, seed uint64, say func(string)) (r result) {
	synctest.Test(t, func(*testing.T) {
		tr := &trace{began: time.Now(), print: say}
		w := newWorld(seed, tr)
		stop, stopped := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(stopped)
			w.scheduler.run(stop)
		}()
		w.run()
		// What goes on in an engine without anybody who waits for it comes to its
		// end too; any other goroutine that is left fails the test.
		w.fates.Pass(time.Minute)
		close(stop)
		<-stopped
		r = result{
			hash: tr.hash, steps: w.scheduler.taken(), violated: w.violated, end: tr.end(traceEnd),
			counts: w.counts, failures: w.failures, dead: w.deadLetters, converged: time.Duration(w.counts["converged"]),
		}
	})
	return r
}

// run is one life of the world: faults, calm, quiet, and the end.
func (w *world) run() {
	w.populate()
	w.rage()
	go w.live()
	if w.gentle {
		go w.laws.watchFresh()
	}
	w.schedule()
	w.calm()
	if w.converge() && w.blips() {
		w.quiet()
		w.checkDeletes()
	}
	w.finish()
	if w.deadLetters > maxDeadLetters {
		w.violate("%d dead letters", w.deadLetters)
	}
	if w.scheduler.taken() > maxSteps {
		w.violate("%d messages: a hot loop", w.scheduler.taken())
	}
}

func (w *world) populate() {
	for _, m := range w.machines {
		d := w.fates.Draw("populate " + string(m.name))
		for i := range d.N(5) {
			m.model.AddImage(fmt.Sprintf("app%d:v%d", i%3, d.N(3)))
		}
		for range d.N(3) {
			m.model.AddVolume(fmt.Sprint("Vol_", d.N(6)))
		}
		for range d.N(6) {
			m.addContainer(d)
		}
	}
}

// rage lets things go wrong, as much as the seed says.
func (w *world) rage() {
	d := w.fates.Draw("rage")
	p := fate.Pick(d, []float64{0, 0, 0.005, 0.02, 0.08})
	w.gentle = p == 0
	part := func() float64 { return p * float64(d.N(100)) / 100 }
	rates := func() fate.Rates {
		return fate.Rates{Fail: part(), Lose: part(), Hang: part() / 4, Slow: part(), Crash: part() / 4}
	}
	w.api.Set(rates())
	for _, m := range w.machines {
		m.link.Set(rates())
		m.calls.Set(rates())
	}
	w.with(func() {
		w.watch = cluster.WatchRates{Lag: part(), Break: part(), Expire: 0.5}
		w.events = simengine.EventRates{Lose: part(), Double: part(), Late: part(), Break: part() / 4}
		w.serveFail = part()
	})
}

// schedule lets the seed's acts happen.
func (w *world) schedule() {
	d := w.fates.Draw("schedule")
	all := acts()
	pace := fate.Pick(d, []time.Duration{50 * time.Millisecond, 500 * time.Millisecond, 4 * time.Second})
	w.fates.Pass(d.Between(0, 3*time.Second))
	if d.Chance(0.9) {
		w.waitForApp()
		w.change("running true", func(s *appv1.AppSpec) { s.Running = true })
	}
	for i := range 10 + d.N(50) {
		w.fates.Pass(d.Between(time.Millisecond, 2*pace))
		a := draw(d, all)
		w.count("act " + a.name)
		w.trace.note("act", a.name)
		a.do(w, w.fates.Draw(fmt.Sprint("act ", i)))
	}
}

func (w *world) waitForApp() {
	for range 100 {
		if w.cluster.App() != nil {
			return
		}
		w.fates.Pass(100 * time.Millisecond)
	}
}

// calm ends all that goes wrong.
func (w *world) calm() {
	w.trace.note("world", "calm")
	w.disturbLate()
	close(w.calmed)
	w.api.Set(fate.Rates{})
	for _, m := range w.machines {
		m.link.Set(fate.Rates{})
		m.calls.Set(fate.Rates{})
		m.link.Thaw()
		m.with(func() {
			m.missing = nil
			if !m.managed {
				m.link.SetDown(nil)
			}
		})
	}
	w.with(func() {
		w.watch, w.events, w.serveFail = cluster.WatchRates{}, simengine.EventRates{}, 0
	})
	w.scheduler.calm()
	for _, m := range w.cluster.Mirrors() {
		w.cluster.Finalizer(keyOf(m), foreign, false)
	}
}

// disturbLate lets what was begun and not undone yet come to its end: an engine
// that is away comes back within a minute and a half.
func (w *world) disturbLate() { w.fates.Pass(75 * time.Second) }

// converge waits until all is well.
func (w *world) converge() bool {
	began := time.Now()
	var left []string
	for time.Since(began) < convergeWithin {
		w.fates.Pass(time.Second)
		if left = w.problems(); len(left) == 0 {
			w.with(func() { w.counts["converged"] = int(time.Since(began)) })
			w.trace.note("world", "all is well")
			return true
		}
		if w.scheduler.taken() > maxSteps {
			break
		}
	}
	for _, p := range left {
		w.violate("after %s without a fault: %s", time.Since(began), p)
	}
	return false
}

// blips lets the engine go and come back within the time of grace, once and
// again, and looks whether each mirror has stayed what it was.
func (w *world) blips() bool {
	app := w.cluster.App()
	p := &problems{world: w, app: app}
	m := w.machine(app.Status.VM.Driver)
	d := w.fates.Draw("blips")
	if !p.mirrored() || m == nil || d.Chance(0.5) {
		return true
	}
	before := map[cluster.Key]types.UID{}
	for _, o := range w.cluster.Mirrors() {
		if o.GetDeletionTimestamp() == nil {
			before[keyOf(o)] = o.GetUID()
		}
	}
	for range 1 + d.N(4) {
		w.trace.note("outside", "blip of the engine on "+string(m.name))
		w.disturb()
		m.cutOff()
		w.fates.Pass(d.Between(10*time.Millisecond, shortBlip))
		m.link.SetDown(nil)
		if !w.converge() {
			return false
		}
		w.fates.Pass(d.Between(0, grace()))
	}
	for _, o := range w.cluster.Mirrors() {
		if uid := before[keyOf(o)]; uid != "" && uid != o.GetUID() {
			w.violate("a short blip of the engine made %s %.16s anew", o.MirrorKind(), o.GetName())
		}
	}
	return true
}

// quiet looks whether nothing happens when there is nothing to do.
func (w *world) quiet() {
	w.fates.Pass(hungFor)
	before, commands := w.cluster.Revision(), w.counts["commands"]
	w.fates.Pass(quietFor)
	refused := false
	for _, m := range w.cluster.Mirrors() {
		refused = refused || refusalOf(m, containersv1.ConditionEngineDeleted) != nil || refusalOf(m, containersv1.ConditionStateReached) != nil
	}
	if n := w.cluster.Revision() - before; n > 0 {
		w.violate("%d writes in %s without a cause", n, quietFor)
	}
	if n := w.counts["commands"] - commands; n > 0 && !refused {
		w.violate("%d commands in %s without a cause", n, quietFor)
	}
	for _, p := range w.problems() {
		w.violate("it was well, and is not any more: %s", p)
	}
}

// finish ends the daemon for good.
func (w *world) finish() {
	keep := w.fates.Draw("finish").Chance(0.3)
	before := w.cluster.App()
	w.order(order{keepVM: keep, forGood: true})
	<-w.ended
	if after := w.cluster.App(); before != nil && after.Spec != before.Spec {
		w.violate("the App's spec was changed: %+v, was %+v", after.Spec, before.Spec)
	}
	if keep {
		return
	}
	for _, m := range w.machines {
		if is := m.is(); m.managed && is != "Absent" {
			w.violate("%s is %s after the daemon has stopped it", m.name, is)
		}
	}
	if n := len(w.cluster.Mirrors()); n > 0 && len(w.violated) == 0 {
		w.violate("%d mirrors are left of an engine that was stopped", n)
	}
}

func (r result) report(seed uint64) string {
	return fmt.Sprintf("seed %d broke a law:\n  %s\nthe end of what happened:\n  %s\nagain, with all that happened: go test -count=1 -run 'TestSimulation$' ./supervisor -seed=%d -v",
		seed, strings.Join(r.violated, "\n  "), strings.Join(r.end[max(0, len(r.end)-40):], "\n  "), seed)
}

func TestSimulation(t *testing.T) {
	if *simSeed != 0 {
		r := simulate(t, *simSeed, func(line string) { fmt.Fprintln(os.Stderr, line) })
		t.Logf("steps %d, failures %d, dead letters %d, converged after %s, hash %x, %v", r.steps, r.failures, r.dead, r.converged, r.hash, r.counts)
		if len(r.violated) > 0 {
			t.Fatal(r.report(*simSeed))
		}
		return
	}
	began := time.Now()
	var next atomic.Uint64
	var failed, steps, mostDead atomic.Int64
	t.Run("seeds", func(t *testing.T) {
		for worker := range runtime.GOMAXPROCS(0) {
			t.Run(fmt.Sprint(worker), func(t *testing.T) {
				t.Parallel()
				for {
					n := next.Add(1) - 1
					if n >= uint64(*simSeeds) || failed.Load() > 10 {
						return
					}
					seed := *simFirst + n
					r := simulate(t, seed, nil)
					steps.Add(int64(r.steps))
					mostDead.Store(max(mostDead.Load(), int64(r.dead)))
					if len(r.violated) > 0 {
						failed.Add(1)
						t.Error(r.report(seed))
					}
				}
			})
		}
	})
	took := time.Since(began)
	t.Logf("at most %d dead letters", mostDead.Load())
	t.Logf("%d seeds in %s, %.0f seeds a second, %d messages", next.Load(), took, float64(next.Load())/took.Seconds(), steps.Load())
}

// TestSimulationIsRepeatable: a seed that failed must fail again.
func TestSimulationIsRepeatable(t *testing.T) {
	for seed := *simFirst; seed < *simFirst+uint64(min(*simSeeds, 20)); seed++ {
		first, second := simulate(t, seed, nil), simulate(t, seed, nil)
		if first.hash != second.hash {
			t.Errorf("seed %d: %d messages and then %d, in another order", seed, first.steps, second.steps)
		}
	}
}
