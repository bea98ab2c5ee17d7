package laws

import (
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/machine"
)

// deletion is a user's delete of a mirror, which was accepted.
type deletion struct {
	at     time.Time
	mirror containersv1.Mirror
	on     *machine.Machine
}

// Deleted records that a user's delete of a mirror was accepted. The mirror is as it
// was before.
func (l *Laws) Deleted(mirror containersv1.Mirror) {
	app := l.apps.App()
	if app == nil || !hasOnlyOwnFinalizer(mirror) {
		return
	}
	l.with(func() {
		if l.hub != nil {
			delete(l.hub.removed, mirror.GetUID())
		}
		l.deletes = append(l.deletes, deletion{at: time.Now(), mirror: mirror, on: l.machine(app.Status.VM.Driver)})
	})
}

// CheckDeletes checks at the end that every delete that was accepted while the engine
// stayed connected was applied or refused.
func (l *Laws) CheckDeletes() {
	objects := map[*machine.Machine][]containersv1.Mirror{}
	var deletes []deletion
	var disturbed time.Time
	l.with(func() {
		deletes, disturbed = l.deletes, l.disturbed
		if l.hub != nil { // whose supervisor has a connection of its own
			disturbed = slices.MaxFunc([]time.Time{disturbed, l.lastLost(), l.lastCleaned()}, time.Time.Compare)
		}
	})
	for _, d := range deletes {
		if d.on == nil || !d.at.After(disturbed) || l.apps.WasDisconnected(d.at) {
			continue
		}
		if objects[d.on] == nil {
			objects[d.on] = d.on.Model.Mirrors()
		}
		key := keyOf(d.mirror)
		for _, o := range objects[d.on] {
			if o.MirrorKind() != key.Kind || o.GetName() != key.Name || !sameObject(o, d.mirror) {
				continue
			}
			if now := l.cluster.History(key); now[len(now)-1].Object == nil || now[len(now)-1].Object.GetUID() != d.mirror.GetUID() {
				l.violate("the delete of %s %s was forgotten", key.Kind, key.Name)
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
