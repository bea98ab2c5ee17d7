package supervisor

import (
	"time"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/cluster"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

const (
	// freshWithin is how old a mirror may be where no call and no event is lost or
	// slow, and the engine is ready. The next full sync comes much later.
	freshWithin = 8 * time.Second
	// longestDelete is how long a delete can take there.
	longestDelete = 15 * time.Second
)

// watchFresh checks the mirrors until the calm.
func (l *laws) watchFresh() {
	d := l.world.fates.Draw("fresh")
	for {
		l.world.fates.Pass(d.Between(2*time.Second, 4*time.Second))
		select {
		case <-l.world.calmed:
			return
		default:
			l.fresh()
		}
	}
}

// fresh: while no event is lost, what the engine reports is mirrored soon, and not
// only by the next full sync.
func (l *laws) fresh() {
	app := l.world.cluster.App()
	well := false
	l.with(func() {
		well = l.engine == messages.EngineReady && time.Since(l.since) > freshWithin && time.Since(l.restless) > freshWithin
	})
	if app == nil || !well {
		l.with(func() { clear(l.free) })
		return
	}
	m := l.world.machine(app.Status.VM.Driver)
	if m == nil {
		return
	}
	mirrors := map[cluster.Key]containersv1.Mirror{}
	for _, o := range l.world.cluster.Mirrors() {
		mirrors[keyOf(o)] = o
	}
	for _, o := range m.model.Latest() {
		if !o.At.Before(time.Now().Add(-freshWithin)) {
			continue
		}
		key := cluster.Key{Kind: o.Kind, Namespace: app.Spec.Namespace, Name: o.Name}
		if mirror := mirrors[key]; !o.Silent || mirror != nil && refusalOf(mirror, containersv1.ConditionStateReached) != nil {
			l.isFresh(key, o.Object, mirror)
		}
		l.isRetried(m, key, o.Object, mirrors[key])
	}
	l.world.count("fresh")
}

func (l *laws) isFresh(key cluster.Key, object, mirror containersv1.Mirror) {
	if l.isForged(key) || mirror != nil && l.world.cluster.EverOf(key, time.Now().Add(-longestDelete), func(o containersv1.Mirror) bool {
		return o.GetDeletionTimestamp() != nil
	}) {
		return
	}
	switch {
	case object == nil && mirror != nil:
		l.world.violate("%s %.16s was removed from the engine, and is still mirrored", key.Kind, key.Name)
	case object == nil:
	case mirror == nil:
		if !l.world.cluster.Removed(key, time.Now().Add(-freshWithin)) {
			l.world.violate("%s %.16s has no mirror yet", key.Kind, key.Name)
		}
	case !withoutRefusals(mirror).SameStatus(withoutRefusals(object)):
		l.world.violate("%s %.16s is mirrored late:\n\t%+v\n\t%+v", key.Kind, key.Name, mirror, object)
	}
}

// isRetried: a delete that was refused because of a container is retried at once
// after the container was removed.
func (l *laws) isRetried(m *machine, key cluster.Key, object, mirror containersv1.Mirror) {
	waits := mirror != nil && object != nil && mirror.GetDeletionTimestamp() != nil && refusalOf(mirror, containersv1.ConditionEngineDeleted) != nil &&
		len(mirror.GetFinalizers()) == 1 && mirror.GetFinalizers()[0] == containersv1.Finalizer && m.model.IsFree(object)
	l.with(func() {
		since, was := l.free[key]
		switch {
		case !waits:
			delete(l.free, key)
		case !was:
			l.free[key] = time.Now()
		case time.Since(since) > freshWithin:
			l.world.violate("the delete of %s %.16s is not retried, and nothing blocks it", key.Kind, key.Name)
		}
	})
}

func (l *laws) isForged(key cluster.Key) (yes bool) {
	l.with(func() { yes = l.forged[key] })
	return yes
}
