package world

import (
	"fmt"
	"time"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/cluster"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/engine"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/fate"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/laws"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/schedule"
)

// Bounds of a run.
const (
	// unfinished is how long a temporary fault can last after the last act.
	unfinished = 75 * time.Second
	// convergeWithin is how long after the last fault all must be well: the longest
	// back-off of a refused request is 5 minutes, of a hung call 90 s.
	convergeWithin = 15 * time.Minute
	// hungFor is how long a call that began during the faults can hang.
	hungFor = 6 * time.Minute
	// quietFor is how long nothing may be written once all is well.
	quietFor = 3 * time.Minute
	// maxSteps is the number of messages after which a run is a hot loop.
	maxSteps = 400_000
	// maxDeadLetters is how many messages of a run may be undeliverable because their
	// receiver has just ended. 4 were the most in 3,000 runs.
	maxDeadLetters = 25
	// shortBlip is how long an engine can be away so that the session's pauses and a
	// full sync still end within the grace period.
	shortBlip = 12 * time.Second
)

// Run runs one seed, on virtual time: the caller is in a bubble of testing/synctest.
// printLine gets each line of the trace; it may be nil.
func Run(seed uint64, tree Tree, printLine func(string)) Result {
	trace := schedule.NewTrace(printLine)
	w := newWorld(seed, tree, trace, printLine != nil)
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		w.scheduler.Run(stop)
	}()
	w.run()
	// A call in an engine without a waiting client ends too. Any other goroutine that
	// is left fails the caller's test.
	w.fates.Pass(time.Minute)
	close(stop)
	<-stopped
	return Result{
		Seed: seed, Hash: trace.Hash(), Steps: w.scheduler.Steps(), Violated: w.violated, end: trace.End(),
		Counts: w.counts, Failures: w.failures, DeadLetters: w.deadLetters, Converged: time.Duration(w.counts["converged"]),
	}
}

// run is one run: faults, the end of the faults, the checks.
func (w *world) run() {
	w.populate()
	w.setFaults()
	go w.runDaemons()
	if w.gentle {
		go w.watchFresh()
	}
	w.act()
	w.endFaults()
	if w.converge() && w.checkBlips() {
		w.checkIdle()
		w.each(func(s *side) { s.laws.CheckDeletes() })
	}
	w.finish()
	if w.deadLetters > maxDeadLetters {
		w.violate("%d dead letters", w.deadLetters)
	}
	if w.scheduler.Steps() > maxSteps {
		w.violate("%d messages: a hot loop", w.scheduler.Steps())
	}
}

func (w *world) violate(format string, args ...any) { w.Violate(fmt.Sprintf(format, args...)) }

// populate gives each engine some objects.
func (w *world) populate() {
	for _, m := range w.machines {
		d := w.fates.Draw("populate " + string(m.Name))
		for i := range d.N(5) {
			m.Model.AddImage(fmt.Sprintf("app%d:v%d", i%3, d.N(3)))
		}
		for range d.N(3) {
			m.Model.AddVolume(fmt.Sprint("Vol_", d.N(6)))
		}
		for range d.N(6) {
			addContainer(m, d)
		}
	}
}

// setFaults draws the rates of faults. In two of five runs, calls and events have none.
func (w *world) setFaults() {
	d := w.fates.Draw("rage")
	p := fate.Pick(d, []float64{0, 0, 0.005, 0.02, 0.08})
	if w.gentle = p == 0; w.gentle {
		w.laws.SetGentle()
	}
	part := func() float64 { return p * float64(d.N(100)) / 100 }
	rates := func() fate.Rates {
		return fate.Rates{Fail: part(), Lose: part(), Hang: part() / 4, Slow: part(), Crash: part() / 4}
	}
	w.api.Set(rates())
	if w.hub != nil {
		w.hub.SetRates(rates())
	}
	for _, m := range w.machines {
		m.SetRates(rates(), rates())
	}
	w.with(func() {
		w.watch = cluster.WatchRates{Lag: part(), Break: part(), Expire: 0.5}
		w.events = engine.EventRates{Lose: part(), Double: part(), Late: part(), Break: part() / 4}
		w.serveFail = part()
	})
}

// act performs the acts of this run.
func (w *world) act() {
	d := w.fates.Draw("schedule")
	all := w.allActs()
	pace := fate.Pick(d, []time.Duration{50 * time.Millisecond, 500 * time.Millisecond, 4 * time.Second})
	w.fates.Pass(d.Between(0, 3*time.Second))
	if d.Chance(0.9) {
		w.waitForApp()
		w.change("running true", func(s *appv1.AppSpec) { s.Running = true })
	}
	for i := range 10 + d.N(50) {
		w.fates.Pass(d.Between(time.Millisecond, 2*pace))
		a := draw(d, all)
		w.Count("act " + a.name)
		w.Note("act", a.name)
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

// watchFresh checks that the mirrors are fresh until the faults end.
func (w *world) watchFresh() {
	d := w.fates.Draw("fresh")
	for {
		w.fates.Pass(d.Between(2*time.Second, 4*time.Second))
		select {
		case <-w.calmed:
			return
		default:
			w.laws.CheckFresh()
		}
	}
}

// endFaults ends all faults.
func (w *world) endFaults() {
	w.Note("world", "calm")
	w.fates.Pass(unfinished)
	close(w.calmed)
	w.api.Set(fate.Rates{})
	w.calmHub()
	for _, m := range w.machines {
		m.Calm()
	}
	w.with(func() {
		w.watch, w.events, w.serveFail = cluster.WatchRates{}, engine.EventRates{}, 0
	})
	w.scheduler.Calm()
	for _, m := range w.cluster.Mirrors() {
		w.cluster.SetFinalizer(keyOf(m), foreign, false)
	}
}

// converge waits until all is well.
func (w *world) converge() bool {
	begun := time.Now()
	var left []string
	for time.Since(begun) < convergeWithin {
		w.fates.Pass(time.Second)
		if left = w.problems(); len(left) == 0 {
			w.with(func() { w.counts["converged"] = int(time.Since(begun)) })
			w.Note("world", "all is well")
			return true
		}
		if w.scheduler.Steps() > maxSteps {
			break
		}
	}
	for _, p := range left {
		w.violate("after %s without a fault: %s", time.Since(begun), p)
	}
	return false
}

// checkBlips cuts the engine off for less than the grace period, once or more often, and
// checks that the mirrors remain. It does so in half of the runs.
func (w *world) checkBlips() bool {
	app := w.cluster.App()
	m := w.machine(app.Status.VM.Driver)
	d := w.fates.Draw("blips")
	if !app.Spec.Running || app.Spec.ContainerEngine.Name == appv1.EngineContainerd || m == nil || d.Chance(0.5) {
		return true
	}
	before := map[*side]laws.Identities{}
	w.each(func(s *side) { before[s] = s.laws.Identities() })
	for range 1 + d.N(4) {
		w.Note("outside", "blip of the engine on "+string(m.Name))
		w.disturb()
		m.CutOff()
		w.fates.Pass(d.Between(10*time.Millisecond, shortBlip))
		m.Link.SetDown(nil)
		if !w.converge() {
			return false
		}
		w.fates.Pass(d.Between(0, w.tree.Grace()))
	}
	w.each(func(s *side) { s.laws.CheckIdentities(before[s]) })
	return true
}

// checkIdle checks that nothing happens when there is nothing to do.
func (w *world) checkIdle() {
	w.fates.Pass(hungFor)
	writes, commands := map[*side]int64{}, w.counted("commands")
	w.each(func(s *side) { writes[s] = s.Revision() })
	machine := w.counted("machine writes")
	w.fates.Pass(quietFor)
	given := w.counted("commands") - commands
	w.each(func(s *side) {
		if s.laws.HasRefusal() {
			given = 0 // the command is retried, and either home could have given it
		}
	})
	w.each(func(s *side) { s.laws.CheckIdle(s.Revision()-writes[s], given, quietFor) })
	if n := w.counted("machine writes") - machine; n > 0 {
		w.violate("the status of the Machine was written %d times in %s without a cause", n, quietFor)
	}
}

// finish ends the last daemon.
func (w *world) finish() {
	keep := w.fates.Draw("finish").Chance(0.3)
	before := w.cluster.App()
	w.order(order{keepVM: keep, last: true})
	<-w.ended
	w.laws.CheckSpec(before)
	if keep {
		return
	}
	w.laws.CheckStopped()
	if len(w.violated) == 0 {
		w.laws.CheckNoMirrors()
	}
}
