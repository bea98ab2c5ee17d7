package supervisor

import (
	"fmt"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/actors/vm"
	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine/docker"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/cluster"
	simengine "github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/engine"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/fate"
)

// foreign is a finalizer that is not rdd's.
const foreign = "example.com/hold"

// settingsOf are the daemon's settings, with syncs often enough to be met.
func settingsOf(f *fate.Fates) docker.Settings {
	return docker.Settings{Resync: f.Draw("resync").Between(30*time.Second, 2*time.Minute)}
}

// deletion is a user's delete of a mirror, which was accepted.
type deletion struct {
	at     time.Time
	key    cluster.Key
	mirror containersv1.Mirror
	on     *machine
}

// act is one thing that happens from outside.
type act struct {
	name   string
	weight int
	do     func(*world, *fate.Dice)
}

// acts are all that can happen.
func acts() []act {
	return []act{
		{"run", 6, (*world).actRun},
		{"driver", 3, (*world).actDriver},
		{"engine name", 1, (*world).actEngineName},
		{"vm properties", 1, (*world).actProperties},
		{"delete app", 1, func(w *world, _ *fate.Dice) { w.disturb(); w.cluster.DeleteApp() }},
		{"desired state", 14, (*world).actDesiredState},
		{"delete mirror", 10, (*world).actDelete},
		{"disown", 4, (*world).actDisown},
		{"hold", 3, func(w *world, d *fate.Dice) { w.finalizer(d, foreign, true) }},
		{"let go", 3, func(w *world, d *fate.Dice) { w.finalizer(d, foreign, false) }},
		{"touch", 6, (*world).actTouch},
		{"container", 22, (*world).actContainer},
		{"image", 16, (*world).actImage},
		{"volume", 8, (*world).actVolume},
		{"network", 6, (*world).actNetwork},
		{"vm dies", 3, (*world).actDie},
		{"engine frozen", 3, (*world).actFreeze},
		{"engine away", 4, (*world).actAway},
		{"streams", 3, func(w *world, d *fate.Dice) { w.used(d).model.CloseStreams() }},
		{"watches", 3, func(w *world, _ *fate.Dice) { w.laws.shaken(5 * time.Second); w.cluster.BreakWatches() }},
		{"crash", 8, (*world).actCrash},
		{"server", 1, (*world).actServer},
		{"missing", 1, (*world).actMissing},
		{"kill", 3, (*world).actKill},
		{"restart", 2, (*world).actRestart},
	}
}

// draw is one act by weight.
func draw(d *fate.Dice, all []act) act {
	total := 0
	for _, a := range all {
		total += a.weight
	}
	n := d.N(total)
	for _, a := range all {
		if n -= a.weight; n < 0 {
			return a
		}
	}
	return all[0]
}

// disturb notes that mirrors may be lost from now on for good reason.
func (w *world) disturb() { w.with(func() { w.disturbed = time.Now() }) }

func (w *world) change(what string, f func(*appv1.AppSpec)) {
	w.disturb()
	w.trace.note("user", what)
	w.cluster.ChangeApp(f)
}

func (w *world) actRun(d *fate.Dice) {
	on := d.Chance(0.7)
	w.change(fmt.Sprint("running ", on), func(s *appv1.AppSpec) { s.Running = on })
}

func (w *world) actDriver(d *fate.Dice) {
	name := fate.Pick(d, []appv1.DriverName{appv1.DriverAuto, appv1.DriverNative, appv1.DriverLima, appv1.DriverExternal})
	w.change("driver "+string(name), func(s *appv1.AppSpec) {
		s.VM.Driver, s.VM.Endpoint = name, ""
		if name == appv1.DriverExternal {
			s.VM.Endpoint = w.machine(name).endpoint()
		}
	})
}

func (w *world) actEngineName(d *fate.Dice) {
	name := fate.Pick(d, []appv1.EngineName{appv1.EngineMoby, appv1.EngineMoby, appv1.EngineContainerd})
	w.change("engine "+string(name), func(s *appv1.AppSpec) { s.ContainerEngine.Name = name })
}

func (w *world) actProperties(d *fate.Dice) {
	n := d.N(3)
	w.change(fmt.Sprint("vm properties ", n), func(s *appv1.AppSpec) {
		s.VM.CPUs, s.VM.Restart = int32(1+n), fmt.Sprint(d.N(2))
		if d.Chance(0.2) {
			s.VM.Reset = fmt.Sprint(d.N(3))
		}
	})
}

// someMirror is one of the mirrors that a user may touch, if there is any.
func (w *world) someMirror(d *fate.Dice, kind containersv1.Kind) containersv1.Mirror {
	var some []containersv1.Mirror
	for _, m := range w.cluster.Mirrors() {
		if m.MirrorKind() == kind || kind == "" && m.MirrorKind() != containersv1.KindContainerNamespace {
			some = append(some, m)
		}
	}
	if len(some) == 0 {
		return nil
	}
	return fate.Pick(d, some)
}

func keyOf(m containersv1.Mirror) cluster.Key {
	return cluster.Key{Kind: m.MirrorKind(), Namespace: m.GetNamespace(), Name: m.GetName()}
}

func (w *world) actDesiredState(d *fate.Dice) {
	m := w.someMirror(d, containersv1.KindContainer)
	if m == nil {
		return
	}
	state := fate.Pick(d, []containersv1.DesiredState{
		containersv1.StateRunning, containersv1.StateRunning, containersv1.StateCreated, containersv1.StateCreated, containersv1.StateUnknown,
	})
	w.trace.note("user", fmt.Sprintf("desire %s for %.12s", state, m.GetName()))
	w.cluster.SetDesiredState(keyOf(m), state)
	w.laws.requested(keyOf(m))
}

func (w *world) actDelete(d *fate.Dice) {
	m := w.someMirror(d, "")
	if m == nil {
		return
	}
	w.trace.note("user", fmt.Sprintf("delete %s %.12s %s", m.MirrorKind(), m.GetName(), m.GetUID()))
	if !w.cluster.Delete(keyOf(m)) {
		return
	}
	if app := w.cluster.App(); app != nil && len(m.GetFinalizers()) == 1 && m.GetFinalizers()[0] == containersv1.Finalizer {
		w.with(func() {
			w.deletes = append(w.deletes, deletion{at: time.Now(), key: keyOf(m), mirror: m, on: w.machine(app.Status.VM.Driver)})
		})
	}
}

// actDisown makes a mirror one of an earlier version of rdd.
func (w *world) actDisown(d *fate.Dice) {
	m := w.someMirror(d, "")
	if m == nil {
		return
	}
	stripped := d.Chance(0.5)
	w.trace.note("outside", fmt.Sprintf("an earlier rdd left %s %.12s, stripped %t", m.MirrorKind(), m.GetName(), stripped))
	w.cluster.Disown(keyOf(m), stripped)
}

func (w *world) finalizer(d *fate.Dice, name string, held bool) {
	m := w.someMirror(d, "")
	if m == nil {
		return
	}
	w.trace.note("user", fmt.Sprintf("finalizer %s %t on %s %.12s", name, held, m.MirrorKind(), m.GetName()))
	w.cluster.Finalizer(keyOf(m), name, held)
}

func (w *world) actTouch(d *fate.Dice) {
	if m := w.someMirror(d, ""); m != nil {
		w.cluster.Touch(keyOf(m), fmt.Sprint(d.N(1000)))
	}
	if d.Chance(0.3) {
		w.cluster.Touch(cluster.Key{Kind: "App", Name: appv1.AppName}, fmt.Sprint(d.N(1000)))
	}
}

// used is the machine that the App uses, mostly.
func (w *world) used(d *fate.Dice) *machine {
	if app := w.cluster.App(); app != nil && app.Status.VM.Driver != "" && !d.Chance(0.1) {
		return w.machine(app.Status.VM.Driver)
	}
	return fate.Pick(d, w.machines)
}

func (w *world) actDie(d *fate.Dice) {
	m := w.used(d)
	if !m.managed {
		return
	}
	w.disturb()
	left := fate.Pick(d, []vm.Presence{vm.Broken, vm.Absent})
	w.trace.note("outside", fmt.Sprintf("%s dies, %s is left", m.name, left))
	m.down(left)
}

func (w *world) actFreeze(d *fate.Dice) {
	m := w.used(d)
	w.disturb()
	w.trace.note("outside", "freeze "+string(m.name))
	m.link.Freeze()
	frozen := d.Between(time.Second, 70*time.Second)
	w.laws.shaken(frozen + 45*time.Second)
	w.after(frozen, func() { w.disturb(); m.link.Thaw() })
}

// actAway is an engine that goes and comes back under a VM that stays.
func (w *world) actAway(d *fate.Dice) {
	m := w.used(d)
	if !m.reachable() || m.link.Down() != nil {
		return
	}
	w.disturb()
	w.trace.note("outside", "engine away on "+string(m.name))
	m.cutOff()
	if d.Chance(0.1) {
		m.model.Wipe()
	}
	w.after(d.Between(10*time.Millisecond, 30*time.Second), func() {
		w.disturb()
		m.with(func() {
			if !m.managed || m.presence == vm.Present && m.spec.Engine != appv1.EngineContainerd {
				m.link.SetDown(nil)
			}
		})
	})
}

// cutOff ends an engine under a VM that stays.
func (m *machine) cutOff() {
	m.with(func() { m.cut = time.Now() })
	m.link.SetDown(simengine.Refused())
	m.model.Stop()
}

// after does something later.
func (w *world) after(d time.Duration, f func()) {
	go func() {
		w.fates.Pass(d)
		f()
	}()
}

func (w *world) actCrash(d *fate.Dice) {
	role := fate.Pick(d, []string{"root", controlPlaneName, bridgeName, appName, appName, vmName, vmName, engineName, engineName, sessionName, sessionName, "container", "container", "image", "volume"})
	for range 1 + d.N(3)*d.N(3) {
		w.scheduler.crash(role)
	}
}

func (w *world) actServer(*fate.Dice) {
	w.with(func() {
		if w.server != nil {
			w.server.crash()
		}
	})
}

func (w *world) actMissing(d *fate.Dice) {
	m := fate.Pick(d, w.machines)
	err := fmt.Errorf("simulated: %s is not installed", m.name)
	w.disturb()
	m.with(func() { m.missing = err })
	w.after(d.Between(time.Second, time.Minute), func() { w.disturb(); m.with(func() { m.missing = nil }) })
}

func (w *world) actKill(*fate.Dice) { w.order(order{kill: true}) }

func (w *world) actRestart(d *fate.Dice) {
	keep := d.Chance(0.6)
	if !keep {
		w.disturb()
	}
	w.order(order{keepVM: keep})
}

// forge makes an image's mirror one that a former rdd would have written, with
// another reading of the engine.
func (w *world) forge(d *fate.Dice) {
	m := w.someMirror(d, containersv1.KindImage)
	if m == nil {
		return
	}
	w.trace.note("outside", fmt.Sprintf("a former rdd wrote %.16s", m.GetName()))
	w.laws.with(func() { w.laws.forged[keyOf(m)] = true })
	w.cluster.Forge(keyOf(m), func(o containersv1.Mirror) { o.(*containersv1.Image).Status.Architecture = "former" })
}
