package supervisor

import (
	"time"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/cluster"
	simengine "github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/engine"
)

// forward: each status that rdd writes is one that the engine's object has had,
// and never an older one than that before, in whichever resource.
func (l *laws) forward(write cluster.Write) {
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
		case l.forged[write.Key]: // which rdd believes for a while
		case last == 0:
			l.violate(write, "the engine has never had %+v", status)
		default:
			l.violate(write, "back to an older version than %d: %+v", last, status)
		}
	})
}

// match finds the machine that has had an object with this status, and the first
// such version that is not older than the one that was mirrored last; last is
// that one when all are older.
func (l *laws) match(key cluster.Key, status containersv1.Mirror) (m *machine, found simengine.Version, last int) {
	for _, m := range l.world.machines {
		before := 0
		l.with(func() {
			if l.serials[m] == nil {
				l.serials[m] = map[cluster.Key]int{}
			}
			before = l.serials[m][key]
		})
		for _, v := range m.model.Versions(key.Kind, key.Name) {
			if v.Object == nil || !withoutRefusals(v.Object).SameStatus(status) {
				continue
			}
			if v.Serial >= before {
				return m, v, 0
			}
			last = before
		}
	}
	return nil, simengine.Version{}, last
}

// Of what was decided, how long it may be carried out afterwards: an object that
// cannot be read stays lost while its engine is there again.
const lateRemoval = time.Minute

// removed: rdd lets a mirror go when its object has left the engine, or when no
// engine is wanted, or when the engine was away for the whole time of grace. So
// over a shorter blip the UIDs stay.
func (l *laws) removed(write cluster.Write) {
	mirror := write.Before.(containersv1.Mirror)
	if mirror.MirrorKind() == containersv1.KindContainerNamespace {
		return
	}
	m := l.owner(write.Key, mirror)
	if m == nil || m.model.WasAbsent(write.Key.Kind, write.Key.Name, l.createdAt(write.Key, mirror)) {
		return
	}
	l.with(func() {
		if l.dialed != m {
			return // it was left behind by another engine
		}
		if l.lastLost().Before(write.Begun.Add(-lateRemoval)) && l.lastCleaned().Before(write.Begun.Add(-lateRemoval)) {
			l.violate(write, "the engine has it; supervisor %s since %s, broken since %s", l.engine, time.Since(l.since), time.Since(l.broke))
		}
	})
}

// owner is the machine that has the object of a mirror, or nil.
func (l *laws) owner(key cluster.Key, mirror containersv1.Mirror) *machine {
	status := withoutRefusals(mirror)
	for _, m := range l.world.machines {
		for _, v := range m.model.Versions(key.Kind, key.Name) {
			if v.Object != nil && withoutRefusals(v.Object).SameStatus(status) {
				return m
			}
		}
	}
	return nil
}

// createdAt is when a mirror was made.
func (l *laws) createdAt(key cluster.Key, mirror containersv1.Mirror) time.Time {
	for _, v := range l.world.cluster.History(key) {
		if v.Object != nil && v.Object.GetUID() == mirror.GetUID() {
			return v.At
		}
	}
	return time.Time{}
}
