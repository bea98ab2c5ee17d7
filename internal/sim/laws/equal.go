package laws

import (
	"fmt"
	"slices"
	"time"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/machine"
)

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
		if o.GetNamespace() != p.namespace(p.app) {
			p.add("%s %s is in namespace %s", o.MirrorKind(), o.GetName(), o.GetNamespace())
		}
		have[name{o.MirrorKind(), o.GetName()}] = o
	}
	moby := &containersv1.ContainerNamespace{}
	moby.Name, moby.Status.Name = containersv1.MobyNamespace, containersv1.MobyNamespace
	for _, object := range append(m.Model.Mirrors(), moby) {
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
func (p *problems) same(m *machine.Machine, object, resource containersv1.Mirror) {
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
	if !containersv1.HasResourceLabels(resource, object) {
		p.add("%s has the labels %v, and its object %v", what, resource.GetLabels(), object.EngineLabels())
	}
	refused := containersv1.FindCondition(resource, containersv1.ConditionEngineDeleted)
	switch deleting := resource.GetDeletionTimestamp() != nil; {
	case deleting && (refused == nil || !p.refuses(m, object)):
		p.add("%s is deleted, and still there, refused %v", what, refused)
	case !deleting && refused != nil:
		p.add("%s is not deleted, but refused %v", what, refused)
	}
	if c, ok := resource.(*containersv1.Container); ok {
		p.desired(m, what, c)
		p.action(what, c)
	}
}

// desired checks that a user's desired state was applied, or visibly refused.
func (p *problems) desired(m *machine.Machine, what string, c *containersv1.Container) {
	refused := containersv1.FindCondition(c, containersv1.ConditionStateReached)
	none := c.Spec.State == "" || c.Spec.State == containersv1.StateUnknown
	switch {
	case c.DeletionTimestamp != nil && p.isReadOnly(): // the refusal of the delete replaces it
	case c.Status.ObservedGeneration == c.Generation:
		if refused != nil {
			p.add("%s: generation %d is applied, and refused: %v", what, c.Generation, refused)
		}
		since := p.desiredSince(c)
		if c.Spec.State == containersv1.StateRunning {
			since = p.unstopped(c.Name, since)
		}
		if !none && c.DeletionTimestamp == nil && !m.Model.WasIn(c.Name, c.Spec.State == containersv1.StateRunning, since) {
			p.add("%s was never %s since %s", what, c.Spec.State, since)
		}
	case none:
		p.add("%s has no desired state, and generation %d is not observed: %d", what, c.Generation, c.Status.ObservedGeneration)
	case refused == nil || refused.ObservedGeneration != c.Generation || !p.refuses(m, c):
		p.add("%s: the desired state %s of generation %d is neither applied nor refused: %v", what, c.Spec.State, c.Generation, refused)
	}
}

// desiredSince returns when the desired state was set.
func (p *problems) desiredSince(c *containersv1.Container) time.Time {
	at := time.Now()
	p.with(func() {
		if r := p.Laws.requests[request{string(c.UID), c.Generation}]; r != nil {
			at = r.at // also if the hub has returned to that generation
		}
	})
	history := p.cluster.History(keyOf(c))
	for _, v := range slices.Backward(history) {
		old, ok := v.Object.(*containersv1.Container)
		if !ok || old.UID != c.UID || old.Spec.State != c.Spec.State {
			break
		}
		if v.At.Before(at) {
			at = v.At
		}
	}
	return at
}
