package laws

import (
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	hubv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/hub/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/cluster"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/machine"
)

// leaseDuration is how long a Lease is valid after its renewal began.
const leaseDuration = 40 * time.Second

// hubFacts are the facts that only the laws of a hub depend on.
type hubFacts struct {
	// name is the namespace of the machine, and allow what users of the hub may do.
	name  string
	allow hubv1.Allow
	// renewed is when this machine last renewed its Lease; zero if it does not hold it.
	// released is when it last stopped holding it.
	renewed, released time.Time
	// leaving are the mirrors that were deleted with their namespace. The value is false for
	// those that users had deleted before.
	leaving map[types.UID]bool
	// removed is when the end of the deletion of a mirror was written.
	removed map[types.UID]time.Time
	// restored is when the hub last returned to an earlier state.
	restored time.Time
}

// Join makes these the laws of a hub: apps has the App of the machine, whose name on the hub
// is name.
func (l *Laws) Join(apps *cluster.Cluster, name string, allow hubv1.Allow) {
	l.apps = apps
	l.hub = &hubFacts{name: name, allow: allow, leaving: map[types.UID]bool{}, removed: map[types.UID]time.Time{}}
}

// Renewed records that the machine has acquired or renewed its Lease.
func (l *Laws) Renewed() { l.with(func() { l.hub.renewed = time.Now() }) }

// Released records that the machine has released its Lease.
func (l *Laws) Released() { l.with(l.hub.release) }

func (h *hubFacts) release() { h.renewed, h.released = time.Time{}, time.Now() }

// NamespaceDeleted records the mirrors that are deleted with their namespace, as they were
// before.
func (l *Laws) NamespaceDeleted(mirrors []containersv1.Mirror) {
	l.with(func() {
		for _, m := range mirrors {
			l.hub.leaving[m.GetUID()] = m.GetDeletionTimestamp() == nil
		}
	})
}

// Restored records that the hub has returned to an earlier state, which requests again what
// was carried out since. No action and no request is carried out again.
func (l *Laws) Restored() {
	l.with(func() {
		l.deletes = nil
		l.disturbed, l.hub.restored = time.Now(), time.Now()
	})
}

// fenced checks that this machine holds its Lease when it sends a write.
func (l *Laws) fenced(write cluster.Write) {
	l.with(func() {
		switch h := l.hub; {
		case h.renewed.IsZero() && write.Begun.After(h.released):
			l.violateWrite(write, "the machine does not hold its Lease since %s", time.Since(h.released))
		case !h.renewed.IsZero() && write.Begun.Sub(h.renewed) > leaseDuration:
			l.violateWrite(write, "the machine has renewed its Lease %s before", write.Begun.Sub(h.renewed))
		}
	})
}

// wroteHub checks a write of a mirror to a hub, where the status and each part of the metadata
// are writes of their own.
func (l *Laws) wroteHub(write cluster.Write) {
	before, _ := write.Before.(containersv1.Mirror)
	after, _ := write.After.(containersv1.Mirror)
	switch {
	case before == nil:
		return // the create of a mirror, which has no status yet
	case after == nil || hasFinalizer(before) && !hasFinalizer(after):
		l.removed(write)
		if before.GetDeletionTimestamp() != nil {
			l.with(func() { l.hub.removed[before.GetUID()] = time.Now() })
		}
		return
	}
	if !withoutRefusals(before).SameStatus(withoutRefusals(after)) { // else it can have none yet
		l.mirrored(write)
	}
	l.labeledHub(write, before, after)
	l.acted(write)
	l.observed(after)
}

func hasFinalizer(m containersv1.Mirror) bool {
	return slices.Contains(m.GetFinalizers(), containersv1.Finalizer)
}

// labeledHub checks a write of labels: it leaves those of users, and sets all of the object.
func (l *Laws) labeledHub(write cluster.Write, before, after containersv1.Mirror) {
	if write.Verb == "patch labels" && !containersv1.HasResourceLabels(after, after) {
		l.violateWrite(write, "labels %v of the engine, and %v of the resource", after.EngineLabels(), after.GetLabels())
	}
	for key, value := range before.GetLabels() {
		_, isEngine := after.EngineLabels()[key]
		if now, ok := after.GetLabels()[key]; !isEngine && !cluster.OwnsLabel(before, key) && (!ok || now != value) {
			l.violateWrite(write, "label %s of a user was %q, and is %q", key, value, now)
		}
	}
	for key := range after.GetLabels() {
		_, had := before.GetLabels()[key]
		if _, is := after.EngineLabels()[key]; !had && !is {
			l.violateWrite(write, "label %s has no owner", key)
		}
	}
}

// observed records that the end of a desired state was written.
func (l *Laws) observed(after containersv1.Mirror) {
	c, ok := after.(*containersv1.Container)
	if !ok || c.Status.ObservedGeneration != c.Generation {
		return
	}
	l.with(func() {
		if r := l.requests[request{string(c.UID), c.Generation}]; r != nil && r.done.IsZero() {
			r.done = time.Now()
		}
	})
}

// isVoid reports whether what a mirror on a hub requests must not be carried out: it was
// carried out before, and the hub has returned to an earlier state, or it is deleted with its
// namespace.
func (l *Laws) isVoid(o containersv1.Mirror, verb string) (yes bool) {
	if l.hub == nil || requestsByAction(o, verb) {
		return false
	}
	l.with(func() {
		if verb == "remove" {
			yes = l.hub.leaving[o.GetUID()] || l.wasBefore(l.hub.removed[o.GetUID()])
			return
		}
		r := l.requests[request{string(o.GetUID()), o.GetGeneration()}]
		yes = r != nil && l.wasBefore(r.done)
	})
	return yes
}

// wasBefore reports whether something happened before the hub has returned to an earlier
// state. The caller holds the lock.
func (l *Laws) wasBefore(at time.Time) bool { return !at.IsZero() && !at.After(l.hub.restored) }

// complete gives a mirror on a hub whose status is not written yet that of its object.
func (j Judge) complete(o containersv1.Mirror) containersv1.Mirror {
	if j.laws.hub == nil || o.ObjectID() != "" {
		return o
	}
	for _, object := range j.on.Model.MirrorsOf(o.MirrorKind()) {
		if object.GetName() == o.GetName() {
			out := o.CopyMirror()
			out.SetStatusFrom(object)
			return out
		}
	}
	return o
}

// isLeaving reports whether a mirror was deleted with its namespace.
func (l *Laws) isLeaving(uid types.UID) (yes bool) {
	if l.hub == nil {
		return false
	}
	l.with(func() { _, yes = l.hub.leaving[uid] })
	return yes
}

// allowsRequests reports whether requests are carried out.
func (l *Laws) allowsRequests() bool { return l.hub == nil || l.hub.allow == hubv1.AllowCreate }

// refuses reports whether the engine would refuse now what a mirror requests. On a hub that
// may only see, all of it is refused.
func (l *Laws) refuses(m *machine.Machine, o containersv1.Mirror) bool {
	return l.isReadOnly() || m.Model.Refuses(o)
}

// isReadOnly reports whether users may only see the mirrors.
func (l *Laws) isReadOnly() bool { return l.hub != nil && l.hub.allow == hubv1.AllowView }

// namespace returns the namespace of the mirrors.
func (l *Laws) namespace(app *appv1.App) string {
	if l.hub != nil {
		return l.hub.name
	}
	return app.Spec.Namespace
}

// followed checks the condition that shows the state of the hub.
func (p *problems) followed() {
	reason := appv1.ReasonHubNoEngine
	if isMirrored(p.app) {
		reason = appv1.ReasonHubSynced
	}
	c := meta.FindStatusCondition(p.app.Status.Conditions, appv1.ConditionHubSynced)
	switch {
	case c == nil:
		p.add("the App has no condition %s", appv1.ConditionHubSynced)
	case c.Status != "True" || c.Reason != reason:
		p.add("%s is %s/%s (%s), want %s", c.Type, c.Status, c.Reason, c.Message, reason)
	}
}
