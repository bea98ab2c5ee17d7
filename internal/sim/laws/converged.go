package laws

import (
	"fmt"

	"k8s.io/apimachinery/pkg/api/meta"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/machine"
)

// Problems returns what is wrong now. Without faults, all of it must end within
// minutes.
func (l *Laws) Problems() []string {
	app := l.apps.App()
	if app == nil {
		return []string{"there is no App"}
	}
	p := &problems{Laws: l, app: app}
	if l.hub != nil {
		p.followed()
	} else {
		p.conditions()
		p.presences()
	}
	p.requests()
	mirrors := l.cluster.Mirrors()
	if isMirrored(app) {
		p.equal(mirrors)
		return p.list
	}
	for _, m := range mirrors {
		p.add("%s %s is there although nothing is mirrored", m.MirrorKind(), m.GetName())
	}
	return p.list
}

type problems struct {
	*Laws
	app  *appv1.App
	list []string
}

func (p *problems) add(format string, args ...any) {
	p.list = append(p.list, fmt.Sprintf(format, args...))
}

// isMirrored reports whether an App asks for an engine that rdd mirrors.
func isMirrored(app *appv1.App) bool {
	return app.Spec.Running && app.Spec.ContainerEngine.Name != appv1.EngineContainerd
}

// conditions checks the conditions of the App.
func (p *problems) conditions() {
	running, ready := appv1.ReasonStopped, appv1.ReasonStopped
	if p.app.Spec.Running {
		running, ready = appv1.ReasonStarted, appv1.ReasonConnected
		if !isMirrored(p.app) {
			ready = appv1.ReasonNotApplicable
		}
	}
	for typ, reason := range map[string]string{
		appv1.ConditionRunning: running, appv1.ConditionEngineReady: ready, appv1.ConditionSettled: appv1.ReasonSettled,
	} {
		c := meta.FindStatusCondition(p.app.Status.Conditions, typ)
		switch {
		case c == nil:
			p.add("the App has no condition %s", typ)
		case c.Reason != reason || c.ObservedGeneration != p.app.Generation:
			p.add("%s is %s/%s of generation %d (%s), want %s of %d", typ, c.Status, c.Reason, c.ObservedGeneration, c.Message, reason, p.app.Generation)
		}
	}
}

// presences checks that the wanted machine runs, and no other.
func (p *problems) presences() {
	for _, m := range p.machines {
		want := machine.Absent
		if p.app.Spec.Running && p.app.Status.VM.Driver == m.Name {
			want = machine.Present
		}
		if is := m.Presence(); m.Managed && is != want {
			p.add("%s is %s, want %s", m.Name, is, want)
		}
	}
	wanted := p.app.Spec.VM.Driver
	if p.app.Spec.Running && wanted != appv1.DriverAuto && wanted != p.app.Status.VM.Driver {
		p.add("driver %s is used, want %s", p.app.Status.VM.Driver, wanted)
	}
}
