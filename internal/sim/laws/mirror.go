package laws

import (
	"time"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/cluster"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/engine"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/machine"
)

// mirrored checks a status that rdd writes: the engine's object has had it, and it is
// never older than the one that any resource of the object had before.
func (l *Laws) mirrored(write cluster.Write) {
	after := write.After.(containersv1.Mirror)
	if after.MirrorKind() == containersv1.KindContainerNamespace {
		return
	}
	if before, ok := write.Before.(containersv1.Mirror); ok && before.SameStatus(after) {
		return
	}
	status := withoutRefusals(after)
	m, version, last := l.match(write.Key, status)
	l.with(func() {
		switch {
		case version.Serial > 0:
			l.serials[m][write.Key] = version.Serial
			delete(l.forged, write.Key)
		case l.forged[write.Key]: // rdd does not know better for a while
		case last == 0:
			l.violateWrite(write, "the engine has never had %+v", status)
		default:
			l.violateWrite(write, "back to an older version than %d: %+v", last, status)
		}
	})
}

// match finds the machine that has had an object with this status, and the first
// such version that is not older than the one that was mirrored last. last is
// that one when all are older.
func (l *Laws) match(key cluster.Key, status containersv1.Mirror) (m *machine.Machine, found engine.Version, last int) {
	for _, m := range l.machines {
		before := 0
		l.with(func() {
			if l.serials[m] == nil {
				l.serials[m] = map[cluster.Key]int{}
			}
			before = l.serials[m][key]
		})
		for _, v := range m.Model.Versions(key.Kind, key.Name) {
			if v.Object == nil || !withoutRefusals(v.Object).SameStatus(status) {
				continue
			}
			if v.Serial >= before {
				return m, v, 0
			}
			last = before
		}
	}
	return nil, engine.Version{}, last
}

// lateRemoval is how long after its reason a removal may come: an object that cannot
// be read stays lost while its engine is there again.
const lateRemoval = time.Minute

// removed checks a removal: rdd removes a mirror when its object has left the engine,
// when no engine is wanted, or when the engine was away for the whole grace period.
// So the UIDs stay over a shorter blip.
func (l *Laws) removed(write cluster.Write) {
	mirror := write.Before.(containersv1.Mirror)
	if mirror.MirrorKind() == containersv1.KindContainerNamespace || l.isLeaving(mirror.GetUID()) {
		return
	}
	m := l.owner(write.Key, mirror)
	if m == nil || m.Model.WasAbsent(write.Key.Kind, write.Key.Name, l.createdAt(write.Key, mirror)) {
		return
	}
	l.with(func() {
		if l.dialed != m {
			return // the engine of the mirror is not used any more
		}
		if l.lastLost().Before(write.Begun.Add(-lateRemoval)) && l.lastCleaned().Before(write.Begun.Add(-lateRemoval)) {
			l.violateWrite(write, "the engine has it; supervisor %s since %s, broken since %s", l.engine, time.Since(l.since), time.Since(l.broke))
		}
	})
}

// owner returns the machine that has the object of a mirror, or nil.
func (l *Laws) owner(key cluster.Key, mirror containersv1.Mirror) *machine.Machine {
	status := withoutRefusals(mirror)
	for _, m := range l.machines {
		for _, v := range m.Model.Versions(key.Kind, key.Name) {
			if v.Object != nil && withoutRefusals(v.Object).SameStatus(status) {
				return m
			}
		}
	}
	return nil
}

// createdAt returns when a mirror was created.
func (l *Laws) createdAt(key cluster.Key, mirror containersv1.Mirror) time.Time {
	for _, v := range l.cluster.History(key) {
		if v.Object != nil && v.Object.GetUID() == mirror.GetUID() {
			return v.At
		}
	}
	return time.Time{}
}
