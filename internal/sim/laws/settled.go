package laws

import (
	"time"

	"k8s.io/apimachinery/pkg/api/meta"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/cluster"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/machine"
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

// settled checks that Settled=True is published only while it is true.
func (l *Laws) settled(write cluster.Write, app *appv1.App) {
	if !isSettled(app) {
		return
	}
	if !app.Spec.Running {
		l.stopped(write)
		return
	}
	m := l.machine(app.Status.VM.Driver)
	if m == nil || app.Spec.VM.Driver != appv1.DriverAuto && app.Spec.VM.Driver != m.Name {
		l.violateWrite(write, "settled with driver %q, want %s", app.Status.VM.Driver, app.Spec.VM.Driver)
		return
	}
	l.runs(write, app, m)
	for _, other := range l.machines {
		if other != m && other.Managed && other.Presence() == machine.Present {
			l.violateWrite(write, "settled on %s, and %s runs", m.Name, other.Name)
		}
	}
	if app.Spec.ContainerEngine.Name == appv1.EngineContainerd {
		l.unmirrored(write)
		return
	}
	before, _ := write.Before.(*appv1.App)
	condition := meta.FindStatusCondition(app.Status.Conditions, appv1.ConditionSettled)
	if before == nil || !isSettled(before) && condition.Message == "" {
		l.complete(write, app, m)
	}
}

// stopped checks that nothing runs and nothing is mirrored.
func (l *Laws) stopped(write cluster.Write) {
	for _, m := range l.machines {
		if is := m.Presence(); m.Managed && is != machine.Absent {
			l.violateWrite(write, "settled as stopped, and %s is %s", m.Name, is)
		}
	}
	l.unmirrored(write)
}

// unmirrored checks that there is no mirror, except those whose report is on its way.
func (l *Laws) unmirrored(write cluster.Write) {
	for _, o := range l.cluster.Mirrors() {
		if at := l.createdAt(keyOf(o), o); write.Begun.Sub(at) > mirrorLag {
			l.violateWrite(write, "settled without mirrors, and %s %.16s is there since %s", o.MirrorKind(), o.GetName(), time.Since(at))
		}
	}
}

// runs checks that the wanted engine runs, and answers if it is mirrored.
func (l *Laws) runs(write cluster.Write, app *appv1.App, m *machine.Machine) {
	is, isVM := m.Status(), m.Name == appv1.DriverLima
	want, known := app.Spec, write.Begun.Add(-engineLag)
	switch {
	case is.Cut.After(known):
	case m.Managed && is.Presence != machine.Present:
		l.violateWrite(write, "settled as running, and %s is %s since %s", m.Name, is.Presence, time.Since(is.Cut))
	case m.Managed && is.Spec.Engine != want.ContainerEngine.Name:
		l.violateWrite(write, "settled with engine %s on %s, want %s", is.Spec.Engine, m.Name, want.ContainerEngine.Name)
	case isVM && is.Spec.VM.Restart != want.VM.Restart, isVM && is.Spec.VM.CPUs != int(want.VM.CPUs):
		l.violateWrite(write, "settled with the VM %+v, want %+v", is.Spec.VM, want.VM)
	case want.ContainerEngine.Name != appv1.EngineContainerd && m.Link.Down() != nil:
		l.violateWrite(write, "settled as connected, and %s does not listen since %s", m.Name, time.Since(is.Cut))
	}
}

// complete checks that every object of the first full sync of the connection has a
// mirror, or had one that was removed so lately that the report is on its way. An
// object of a later sync may have no mirror yet.
func (l *Laws) complete(write cluster.Write, app *appv1.App, m *machine.Machine) {
	var since time.Time
	l.with(func() { since = l.synced })
	for _, o := range m.Model.Mirrors() {
		key := keyOf(o)
		key.Namespace = app.Spec.Namespace
		if m.Model.WasAbsent(key.Kind, key.Name, since) {
			continue
		}
		history := l.cluster.History(key)
		n := len(history)
		if n == 0 || history[n-1].Object == nil && history[n-1].At.Before(since) && write.Begun.Sub(history[n-1].At) > mirrorLag {
			l.violateWrite(write, "settled, and %s %.16s has no mirror", o.MirrorKind(), o.GetName())
		}
	}
	for _, mirror := range l.cluster.Mirrors() {
		l.mirrorsSomething(write, m, since, mirror)
	}
}

// mirrorsSomething checks that the object of a mirror existed at some time since the first
// full sync of the connection, which reports all that is gone.
func (l *Laws) mirrorsSomething(write cluster.Write, m *machine.Machine, since time.Time, mirror containersv1.Mirror) {
	isLeft := mirror.MirrorKind() != containersv1.KindContainerNamespace && mirror.GetDeletionTimestamp() == nil
	if isLeft && !since.IsZero() && !m.Model.Existed(mirror.MirrorKind(), mirror.GetName(), since) {
		l.violateWrite(write, "settled, and %s %.16s mirrors nothing since %s", mirror.MirrorKind(), mirror.GetName(), time.Since(since))
	}
}
