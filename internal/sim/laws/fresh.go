package laws

import (
	"time"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/cluster"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/machine"
)

const (
	// freshWithin is how old a mirror may be where no call and no event is lost or
	// slow, and the engine is ready. The next full sync comes much later.
	freshWithin = 8 * time.Second
	// longestDelete is how long a delete can take there.
	longestDelete = 15 * time.Second
)

// CheckFresh checks in a gentle run that the mirrors are up to date: while no event is
// lost, what the engine reports is mirrored soon, and not only by the next full sync.
func (l *Laws) CheckFresh() {
	app := l.cluster.App()
	if app == nil || !l.isQuiet() {
		l.with(func() { clear(l.free) })
		return
	}
	m := l.machine(app.Status.VM.Driver)
	if m == nil {
		return
	}
	l.checkFresh(app, m)
	l.recorder.Count("fresh")
}

// isQuiet reports whether the engine is ready, and no effect of a fault is left.
func (l *Laws) isQuiet() (quiet bool) {
	l.with(func() {
		quiet = l.engine == Ready && time.Since(l.since) > freshWithin && time.Since(l.restless) > freshWithin
	})
	return quiet
}

func (l *Laws) checkFresh(app *appv1.App, m *machine.Machine) {
	mirrors := map[cluster.Key]containersv1.Mirror{}
	for _, o := range l.cluster.Mirrors() {
		mirrors[keyOf(o)] = o
	}
	for _, o := range m.Model.Latest() {
		if !o.At.Before(time.Now().Add(-freshWithin)) {
			continue
		}
		key := cluster.Key{Kind: o.Kind, Namespace: app.Spec.Namespace, Name: o.Name}
		if mirror := mirrors[key]; !o.Silent || isRefused(mirror) && !hasFailedRemoval(o.Object) {
			l.checkOne(key, o.Object, mirror)
		}
		l.checkRetried(m, key, o.Object, mirrors[key])
	}
}

// isRefused reports whether a mirror shows a refused desired state: the object is read again
// after the refusal, because a failed start changes it without an event.
func isRefused(mirror containersv1.Mirror) bool {
	return mirror != nil && containersv1.FindCondition(mirror, containersv1.ConditionStateReached) != nil
}

// hasFailedRemoval reports whether a removal of an object has failed half way, or runs. That
// has no event either, and it is not what an earlier refusal has been about: only the next
// retry or full sync reads it.
func hasFailedRemoval(object containersv1.Mirror) bool {
	c, ok := object.(*containersv1.Container)
	return ok && (c.Status.Status == containersv1.ContainerDead || c.Status.Status == containersv1.ContainerRemoving)
}

// checkOne compares a mirror with its object. One of them can be nil.
func (l *Laws) checkOne(key cluster.Key, object, mirror containersv1.Mirror) {
	if l.isForged(key) || mirror != nil && l.cluster.WasEver(key, time.Now().Add(-longestDelete), func(o containersv1.Mirror) bool {
		return o.GetDeletionTimestamp() != nil
	}) {
		return
	}
	switch {
	case object == nil && mirror != nil:
		l.violate("%s %.16s was removed from the engine, and is still mirrored", key.Kind, key.Name)
	case object == nil:
	case mirror == nil:
		if !l.cluster.WasRemoved(key, time.Now().Add(-freshWithin)) {
			l.violate("%s %.16s has no mirror yet", key.Kind, key.Name)
		}
	case !withoutRefusals(mirror).SameStatus(withoutRefusals(object)):
		l.violate("%s %.16s is mirrored late:\n\t%+v\n\t%+v", key.Kind, key.Name, mirror, object)
	}
}

// checkRetried checks that a delete that was refused because of a container is retried at
// once after the container was removed.
func (l *Laws) checkRetried(m *machine.Machine, key cluster.Key, object, mirror containersv1.Mirror) {
	waits := mirror != nil && object != nil && mirror.GetDeletionTimestamp() != nil && containersv1.FindCondition(mirror, containersv1.ConditionEngineDeleted) != nil &&
		hasOnlyOwnFinalizer(mirror) && m.Model.IsFree(object)
	l.with(func() {
		since, was := l.free[key]
		switch {
		case !waits:
			delete(l.free, key)
		case !was:
			l.free[key] = time.Now()
		case time.Since(since) > freshWithin:
			l.violate("the delete of %s %.16s is not retried, and nothing blocks it", key.Kind, key.Name)
		}
	})
}
