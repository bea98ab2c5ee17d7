package supervisor

import (
	"fmt"
	"slices"
	"time"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/cluster"
)

const (
	// acting is how long a mirror takes from its last look at the wish to the
	// command, at most: the answer to the look, a step before the command, and the
	// way of that, each of which can be slow.
	acting = 30 * time.Second
	// gentleActing is the same where no call is slow, shakenActing where an engine was
	// frozen: it may have been asked for the image whose tag is to be removed.
	gentleActing = 50 * time.Millisecond
	shakenActing = 90 * time.Second
)

// errand is a wish of a user: the generation that a resource got by it.
type errand struct {
	uid        string
	generation int64
}

// wish is what has become of an errand.
type wish struct {
	// carried counts the commands that the engine has answered.
	carried int
	// incarnations of the mirror before the wish was made.
	incarnations int
}

// wished takes note of a user's wish, which was made just now.
func (l *laws) wished(key cluster.Key) {
	history := l.world.cluster.History(key)
	if len(history) == 0 || history[len(history)-1].Object == nil {
		return
	}
	o := history[len(history)-1].Object
	e := errand{string(o.GetUID()), o.GetGeneration()}
	l.with(func() {
		if l.wishes[e] == nil {
			l.wishes[e] = &wish{incarnations: l.incarnations[key.Name]}
		}
	})
}

// judge holds the commands to one machine against the law.
type judge struct {
	*world
	on *machine
}

// Asked implements engine.Judge: the engine is told nothing that no user wishes at
// that time, and a wish is carried out once. Once more is allowed only for each
// incarnation of the mirror that ended since the wish was made, and only until
// it was written that it is carried out.
func (j judge) Asked(verb string, kind containersv1.Kind, id string) (answered func()) {
	j.trace.note("engine "+string(j.on.name), fmt.Sprintf("%s %s %.24s", verb, kind, id))
	j.count("commands")
	found := slices.DeleteFunc(j.cluster.Since(kind, time.Now().Add(-j.laws.acting())), func(o containersv1.Mirror) bool { return !asks(o, verb, id) })
	if len(found) == 0 {
		j.violate("%s %s %s on %s: nobody asked for that", verb, kind, id, j.on.name)
	}
	return func() {
		j.trace.note("engine "+string(j.on.name), fmt.Sprintf("%s %.12s done", verb, id))
		if verb == "start" || verb == "stop" {
			j.laws.once(verb, id, found)
		}
	}
}

// acting is how old the wish may be that a command is for.
func (l *laws) acting() (longest time.Duration) {
	longest = acting
	l.with(func() {
		switch {
		case time.Now().Before(l.restless):
			longest = shakenActing
		case l.world.gentle:
			longest = gentleActing
		}
	})
	return longest
}

// asks is whether a resource asks for a command at this moment.
func asks(o containersv1.Mirror, verb, id string) bool {
	c, ok := o.(*containersv1.Container)
	switch {
	case o.ObjectID() != id && o.DisplayName() != id:
		return false
	case verb == "remove":
		return o.GetDeletionTimestamp() != nil && slices.Contains(o.GetFinalizers(), containersv1.Finalizer)
	case verb == "start":
		return ok && c.Spec.State == containersv1.StateRunning && hasOpenWish(c)
	case verb == "stop":
		return ok && c.Spec.State == containersv1.StateCreated && hasOpenWish(c)
	default:
		return ok && hasOpenWish(c)
	}
}

// once counts a command for the one of the wishes that allows the most.
func (l *laws) once(verb, id string, found []containersv1.Mirror) {
	l.with(func() {
		var best *wish
		left := func(w *wish) int { return 1 + l.incarnations[id] - w.incarnations - w.carried }
		for _, o := range found {
			if w := l.wishes[errand{string(o.GetUID()), o.GetGeneration()}]; w != nil && (best == nil || left(w) > left(best)) {
				best = w
			}
		}
		if best == nil {
			return // a user's delete has changed the generation of the wish
		}
		if best.carried++; left(best) < 0 {
			l.world.violate("%s %s was carried out %d times for one wish, and its mirror began anew %d times since",
				verb, id, best.carried, l.incarnations[id]-best.incarnations)
		}
	})
}
