package supervisor

import (
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rancher-sandbox/rancher-desktop-daemon/actors/vm"
	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// problems returns what is wrong although no fault happens any more.
func (w *world) problems() []string {
	app := w.cluster.App()
	if app == nil {
		return []string{"there is no App"}
	}
	p := &problems{world: w, app: app}
	p.conditions()
	p.presences()
	mirrors := w.cluster.Mirrors()
	if p.mirrored() {
		p.equal(mirrors)
		return p.list
	}
	for _, m := range mirrors {
		p.add("%s %s is there although nothing is mirrored", m.MirrorKind(), m.GetName())
	}
	return p.list
}

type problems struct {
	*world
	app  *appv1.App
	list []string
}

func (p *problems) add(format string, args ...any) {
	p.list = append(p.list, fmt.Sprintf(format, args...))
}

func (p *problems) mirrored() bool {
	return p.app.Spec.Running && p.app.Spec.ContainerEngine.Name != appv1.EngineContainerd
}

func (p *problems) conditions() {
	running, ready := appv1.ReasonStopped, appv1.ReasonStopped
	if p.app.Spec.Running {
		running, ready = appv1.ReasonStarted, appv1.ReasonConnected
		if !p.mirrored() {
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

func (p *problems) presences() {
	for _, m := range p.machines {
		want := vm.Absent
		if p.app.Spec.Running && p.app.Status.VM.Driver == m.name {
			want = vm.Present
		}
		if is := m.is(); m.managed && is != want {
			p.add("%s is %s, want %s", m.name, is, want)
		}
	}
	wanted := p.app.Spec.VM.Driver
	if p.app.Spec.Running && wanted != appv1.DriverAuto && wanted != p.app.Status.VM.Driver {
		p.add("driver %s is used, want %s", p.app.Status.VM.Driver, wanted)
	}
}

// equal compares the mirrors with the engine's objects, field by field.
func (p *problems) equal(mirrors []containersv1.Mirror) {
	m := p.machine(p.app.Status.VM.Driver)
	if m == nil {
		p.add("driver %q is used", p.app.Status.VM.Driver)
		return
	}
	type name struct {
		kind containersv1.Kind
		name string
	}
	have := map[name]containersv1.Mirror{}
	for _, o := range mirrors {
		if o.GetNamespace() != p.app.Spec.Namespace {
			p.add("%s %s is in namespace %s", o.MirrorKind(), o.GetName(), o.GetNamespace())
		}
		have[name{o.MirrorKind(), o.GetName()}] = o
	}
	moby := &containersv1.ContainerNamespace{}
	moby.Name, moby.Status.Name = containersv1.MobyNamespace, containersv1.MobyNamespace
	for _, object := range append(m.model.Mirrors(), moby) {
		key := name{object.MirrorKind(), object.GetName()}
		resource := have[key]
		delete(have, key)
		if resource == nil {
			p.add("%s %s has no mirror", key.kind, key.name)
			continue
		}
		p.same(m, object, resource)
	}
	for key := range have {
		p.add("%s %s mirrors nothing", key.kind, key.name)
	}
	slices.Sort(p.list)
}

// same compares one mirror with its object.
func (p *problems) same(m *machine, object, resource containersv1.Mirror) {
	what := fmt.Sprintf("%s %.16s", object.MirrorKind(), object.GetName())
	if plain := withoutRefusals(resource); !plain.SameStatus(withoutRefusals(object)) {
		p.add("%s differs:\n\t%+v\n\t%+v", what, plain, object)
	}
	if !containersv1.HasOwnManager(resource) {
		p.add("%s has no managed fields of rdd", what)
	}
	if object.MirrorKind().HasFinalizer() != slices.Contains(resource.GetFinalizers(), containersv1.Finalizer) {
		p.add("%s has the finalizers %v", what, resource.GetFinalizers())
	}
	refused := refusalOf(resource, containersv1.ConditionEngineDeleted)
	switch deleting := resource.GetDeletionTimestamp() != nil; {
	case deleting && (refused == nil || !m.model.Refuses(object)):
		p.add("%s is deleted, and still there, refused %v", what, refused)
	case !deleting && refused != nil:
		p.add("%s is not deleted, but refused %v", what, refused)
	}
	if c, ok := resource.(*containersv1.Container); ok {
		p.desired(m, what, c)
	}
}

// desired checks that a user's desired state was applied, or visibly refused.
func (p *problems) desired(m *machine, what string, c *containersv1.Container) {
	refused := refusalOf(c, containersv1.ConditionStateReached)
	none := c.Spec.State == "" || c.Spec.State == containersv1.StateUnknown
	switch {
	case c.Status.ObservedGeneration == c.Generation:
		if refused != nil {
			p.add("%s: generation %d is applied, and refused: %v", what, c.Generation, refused)
		}
		if since := p.desiredSince(c); !none && c.DeletionTimestamp == nil && !m.model.WasIn(c.Name, c.Spec.State == containersv1.StateRunning, since) {
			p.add("%s was never %s since %s", what, c.Spec.State, since)
		}
	case none:
		p.add("%s has no desired state, and generation %d is not observed: %d", what, c.Generation, c.Status.ObservedGeneration)
	case refused == nil || refused.ObservedGeneration != c.Generation || !m.model.Refuses(c):
		p.add("%s: the desired state %s of generation %d is neither applied nor refused: %v", what, c.Spec.State, c.Generation, refused)
	}
}

// desiredSince returns when the desired state was set.
func (p *problems) desiredSince(c *containersv1.Container) time.Time {
	at := time.Now()
	history := p.cluster.History(keyOf(c))
	for _, v := range slices.Backward(history) {
		old, ok := v.Object.(*containersv1.Container)
		if !ok || old.UID != c.UID || old.Spec.State != c.Spec.State {
			break
		}
		at = v.At
	}
	return at
}

func refusalOf(m containersv1.Mirror, condition string) *metav1.Condition {
	if m.MirrorConditions() == nil {
		return nil
	}
	return meta.FindStatusCondition(*m.MirrorConditions(), condition)
}

// withoutRefusals returns the part of a status that comes from the engine.
func withoutRefusals(m containersv1.Mirror) containersv1.Mirror {
	out := m.CopyMirror()
	if c, ok := out.(*containersv1.Container); ok {
		c.Status.ObservedGeneration = 0
	}
	if conditions := out.MirrorConditions(); conditions != nil {
		*conditions = slices.DeleteFunc(*conditions, func(c metav1.Condition) bool {
			return containersv1.IsOwnCondition(c.Type)
		})
		for i := range *conditions {
			(*conditions)[i].LastTransitionTime = metav1.Time{}
		}
	}
	return out
}

// checkDeletes checks that every delete that was accepted while the engine stayed
// connected was applied or refused.
func (w *world) checkDeletes() {
	objects := map[*machine][]containersv1.Mirror{}
	for _, d := range w.deletes {
		if d.on == nil || !d.at.After(w.disturbed) || w.cluster.Disconnected(d.at) {
			continue
		}
		if objects[d.on] == nil {
			objects[d.on] = d.on.model.Mirrors()
		}
		for _, o := range objects[d.on] {
			if o.MirrorKind() != d.key.Kind || o.GetName() != d.key.Name || !sameObject(o, d.mirror) {
				continue
			}
			if now := w.cluster.History(d.key); now[len(now)-1].Object == nil || now[len(now)-1].Object.GetUID() != d.mirror.GetUID() {
				w.violate("the delete of %s %s was forgotten", d.key.Kind, d.key.Name)
			}
		}
	}
}

// sameObject reports whether an object is the one that was mirrored, and not a later
// one with the same name.
func sameObject(a, b containersv1.Mirror) bool {
	switch a := a.(type) {
	case *containersv1.Volume:
		return equality.Semantic.DeepEqual(a.Status.CreatedAt, b.(*containersv1.Volume).Status.CreatedAt)
	default:
		return true
	}
}
