package supervisor

import (
	"time"

	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/rancher-sandbox/rancher-desktop-daemon/actors/vm"
	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/cluster"
)

const (
	// engineLag is how long the report of an engine that died, or of a connection
	// that broke, may take until it shows in Settled.
	engineLag = 5 * time.Second
	// mirrorLag is the same for the report of a mirror that was created or removed.
	mirrorLag = 30 * time.Second
)

// isSettled reports whether an App says that its present spec is applied.
func isSettled(app *appv1.App) bool {
	c := meta.FindStatusCondition(app.Status.Conditions, appv1.ConditionSettled)
	return c != nil && c.Status == "True" && c.ObservedGeneration == app.Generation
}

// settled: Settled=True is published only while it is true.
func (l *laws) settled(write cluster.Write, app *appv1.App) {
	if !isSettled(app) {
		return
	}
	if !app.Spec.Running {
		l.stopped(write)
		return
	}
	m := l.world.machine(app.Status.VM.Driver)
	if m == nil || app.Spec.VM.Driver != appv1.DriverAuto && app.Spec.VM.Driver != m.name {
		l.violate(write, "settled with driver %q, want %s", app.Status.VM.Driver, app.Spec.VM.Driver)
		return
	}
	l.runs(write, app, m)
	for _, other := range l.world.machines {
		if other != m && other.managed && other.is() == vm.Present {
			l.violate(write, "settled on %s, and %s runs", m.name, other.name)
		}
	}
	if app.Spec.ContainerEngine.Name == appv1.EngineContainerd {
		l.unmirrored(write)
		return
	}
	before, _ := write.Before.(*appv1.App)
	condition := meta.FindStatusCondition(app.Status.Conditions, appv1.ConditionSettled)
	if before == nil || !isSettled(before) && condition.Message == "" {
		l.complete(write, m)
	}
}

// stopped: nothing runs and nothing is mirrored.
func (l *laws) stopped(write cluster.Write) {
	for _, m := range l.world.machines {
		if is := m.is(); m.managed && is != vm.Absent {
			l.violate(write, "settled as stopped, and %s is %s", m.name, is)
		}
	}
	l.unmirrored(write)
}

// unmirrored: no mirror is there, except those whose report is on its way.
func (l *laws) unmirrored(write cluster.Write) {
	for _, o := range l.world.cluster.Mirrors() {
		if at := l.createdAt(keyOf(o), o); write.Begun.Sub(at) > mirrorLag {
			l.violate(write, "settled without mirrors, and %s %.16s is there since %s", o.MirrorKind(), o.GetName(), time.Since(at))
		}
	}
}

// runs: the wanted engine runs, and answers if it is mirrored.
func (l *laws) runs(write cluster.Write, app *appv1.App, m *machine) {
	known := write.Begun.Add(-engineLag)
	m.with(func() {
		switch {
		case m.cut.After(known):
		case m.managed && m.presence != vm.Present:
			l.violate(write, "settled as running, and %s is %s since %s", m.name, m.presence, time.Since(m.cut))
		case m.managed && m.spec.Engine != app.Spec.ContainerEngine.Name:
			l.violate(write, "settled with engine %s on %s, want %s", m.spec.Engine, m.name, app.Spec.ContainerEngine.Name)
		case m.name == appv1.DriverLima && m.spec.VM.Restart != app.Spec.VM.Restart,
			m.name == appv1.DriverLima && m.spec.VM.CPUs != int(app.Spec.VM.CPUs):
			l.violate(write, "settled with the VM %+v, want %+v", m.spec.VM, app.Spec.VM)
		case app.Spec.ContainerEngine.Name != appv1.EngineContainerd && m.link.Down() != nil:
			l.violate(write, "settled as connected, and %s does not listen since %s", m.name, time.Since(m.cut))
		}
	})
}

// complete: every object that was there at the first full sync of the connection
// has a mirror, or had one that was removed so lately that the report is on its way.
// An object of a later sync may have no mirror yet.
func (l *laws) complete(write cluster.Write, m *machine) {
	var since time.Time
	l.with(func() { since = l.synced })
	for _, o := range m.model.Mirrors() {
		key := keyOf(o)
		key.Namespace = l.world.cluster.App().Spec.Namespace
		if m.model.WasAbsent(key.Kind, key.Name, since) {
			continue
		}
		history := l.world.cluster.History(key)
		n := len(history)
		if n == 0 || history[n-1].Object == nil && history[n-1].At.Before(since) && write.Begun.Sub(history[n-1].At) > mirrorLag {
			l.violate(write, "settled, and %s %.16s has no mirror", o.MirrorKind(), o.GetName())
		}
	}
}

// hasOpenState reports whether a mirror has a desired state that was not applied yet.
func hasOpenState(o containersv1.Mirror) bool {
	c, ok := o.(*containersv1.Container)
	return ok && c.Spec.State != "" && c.Spec.State != containersv1.StateUnknown && c.Status.ObservedGeneration < c.Generation
}
