package laws

import (
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/cluster"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/machine"
)

const (
	// acting is the longest time from a mirror's last reading of the desired state to
	// the command: the answer to the reading, a step before the command, and the
	// command itself can each be slow.
	acting = 30 * time.Second
	// gentleActing is the same where no call is slow, shakenActing where an engine was
	// frozen: a read of the image whose tag is to be removed may hang there.
	gentleActing = 50 * time.Millisecond
	shakenActing = 90 * time.Second
)

// request is a desired state that a user set: the generation that a resource got.
type request struct {
	uid        string
	generation int64
}

// outcome is what happened to a request.
type outcome struct {
	// applied counts the commands that the engine has answered.
	applied int
	// incarnations of the mirror before the request.
	incarnations int
	// at is when it was requested, and done when its end was written.
	at, done time.Time
}

// span is the time of a command.
type span struct{ begun, ended time.Time }

// unstopped returns when a container can be started at the earliest that is requested to run at
// a time: a stop that is under way ends first.
func (l *Laws) unstopped(id string, at time.Time) time.Time {
	l.with(func() {
		for _, s := range l.stops[id] {
			if s.begun.Before(at) && s.ended.After(at) {
				at = s.ended
			}
		}
	})
	return at
}

// Requested records the desired state that a user has just set.
func (l *Laws) Requested(key cluster.Key) {
	history := l.cluster.History(key)
	if len(history) == 0 || history[len(history)-1].Object == nil {
		return
	}
	o := history[len(history)-1].Object
	e := request{string(o.GetUID()), o.GetGeneration()}
	l.with(func() {
		l.requests[e] = &outcome{incarnations: l.incarnations[key.Name], at: time.Now()}
	})
}

// Judge holds the commands to one machine against the law. It implements the judge of
// a simulated engine.
type Judge struct {
	laws *Laws
	on   *machine.Machine
}

// Judge returns the judge of the commands to a machine.
func (l *Laws) Judge(m *machine.Machine) Judge { return Judge{l, m} }

// Command checks a command: the engine gets no command that no user requests at that
// time, and a request is applied once. One more command is allowed for each
// incarnation of the mirror that ended since the request, until the request was
// recorded as applied.
func (j Judge) Command(verb string, kind containersv1.Kind, id string) (answered func()) {
	l, who := j.laws, "engine "+string(j.on.Name)
	l.recorder.Note(who, fmt.Sprintf("%s %s %.24s", verb, kind, id))
	l.recorder.Count("commands")
	if l.isReadOnly() {
		l.violate("%s %s %s on %s: users of the hub may only see", verb, kind, id, j.on.Name)
	}
	if slices.Contains(requestVerbs(), verb) {
		if !j.asked(verb, kind, id) {
			l.violate("%s %s %s on %s: no request asks for that", verb, kind, id, j.on.Name)
		}
		return func() {}
	}
	found := slices.DeleteFunc(l.cluster.Since(kind, time.Now().Add(-l.acting())), func(o containersv1.Mirror) bool {
		return !requests(j.complete(o), verb, id) || l.isVoid(o, verb)
	})
	uid, isCreating := j.startedByRequest(verb, id)
	if isCreating && len(found) == 0 {
		return func() { l.startedOnce(uid) }
	}
	if len(found) == 0 && !j.asked(verb, kind, id) {
		l.violate("%s %s %s on %s: no user requests that", verb, kind, id, j.on.Name)
	}
	begun := time.Now()
	return func() {
		l.recorder.Note(who, fmt.Sprintf("%s %.12s done", verb, id))
		if verb == "stop" {
			l.with(func() { l.stops[id] = append(l.stops[id], span{begun, time.Now()}) })
		}
		byAction := slices.ContainsFunc(found, func(o containersv1.Mirror) bool { return requestsByAction(o, verb) })
		if !byAction && (verb == "start" || verb == "stop") {
			l.once(verb, id, found, uid)
		}
	}
}

// acting returns how old the request of a command may be.
func (l *Laws) acting() (longest time.Duration) {
	longest = acting
	l.with(func() {
		switch {
		case time.Now().Before(l.restless):
			longest = shakenActing
		case l.gentle:
			longest = gentleActing
		}
	})
	return longest
}

// requests reports whether a resource requests a command at this moment.
func requests(o containersv1.Mirror, verb, id string) bool {
	c, ok := o.(*containersv1.Container)
	switch {
	case o.ObjectID() != id && o.DisplayName() != id:
		return false
	case requestsByAction(o, verb):
		return true
	case verb == "remove":
		return o.GetDeletionTimestamp() != nil && slices.Contains(o.GetFinalizers(), containersv1.Finalizer)
	case verb == "start":
		return ok && c.Spec.State == containersv1.StateRunning && hasOpenState(c)
	case verb == "stop":
		return ok && c.Spec.State == containersv1.StateCreated && hasOpenState(c)
	case verb == "unpause":
		return ok && hasOpenState(c)
	}
	return false
}

// once counts a command for the request that allows the most commands. The start of a
// container may also be that of the resource that creates it, which creating names.
func (l *Laws) once(verb, id string, found []containersv1.Mirror, creating types.UID) {
	l.with(func() {
		var best *outcome
		left := func(r *outcome) int { return 1 + l.incarnations[id] - r.incarnations - r.applied }
		for _, o := range found {
			if r := l.requests[request{string(o.GetUID()), o.GetGeneration()}]; r != nil && (best == nil || left(r) > left(best)) {
				best = r
			}
		}
		if best == nil {
			return // a user's delete has changed the generation of the request
		}
		if best.applied++; left(best) < 0 && creating != "" && l.starts[creating] == 0 {
			best.applied--
			l.starts[creating]++
			return
		}
		if left(best) < 0 {
			l.violate("%s %s was applied %d times for one request, and its mirror restarted %d times since",
				verb, id, best.applied, l.incarnations[id]-best.incarnations)
		}
	})
}
