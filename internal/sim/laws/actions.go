package laws

import (
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/cluster"
)

// action is an action that rdd has accepted.
type action struct {
	uid        string
	observedAt int64
}

// runningAction returns the action of a mirror that was accepted and has not ended, or nil.
func runningAction(o any) *containersv1.ActionStatus {
	c, ok := o.(*containersv1.Container)
	if !ok || c == nil || c.Status.LastAction == nil || c.Status.LastAction.State != containersv1.ActionRunning {
		return nil
	}
	return c.Status.LastAction
}

// requestsByAction reports whether an action of a mirror requests a command.
func requestsByAction(o containersv1.Mirror, verb string) bool {
	running := runningAction(o)
	if running == nil {
		return false
	}
	verbs := []string{string(running.Action)}
	if running.Action == containersv1.ActionStart || running.Action == containersv1.ActionStop {
		verbs = append(verbs, "unpause") // a paused container neither starts nor stops
	}
	return slices.Contains(verbs, verb)
}

// Started checks that an action starts a container at most once. It is called when a
// command of rdd has started a container.
func (j Judge) Started(verb, id string) {
	l := j.laws
	var found []action
	for _, o := range l.cluster.Since(containersv1.KindContainer, time.Now().Add(-l.acting())) {
		switch {
		case o.ObjectID() != id:
		case requests(o, verb, id) && hasOpenState(o):
			return // a desired state requests it too
		case requestsByAction(o, verb):
			found = append(found, action{string(o.GetUID()), runningAction(o).ObservedAt.UnixNano()})
		}
	}
	if len(found) == 0 {
		return // Command has checked that a user requests it
	}
	l.with(func() {
		first := slices.MinFunc(found, func(a, b action) int { return l.started[a] - l.started[b] })
		if l.started[first]++; l.started[first] > 1 {
			l.violate("one action has started %.12s %d times", id, l.started[first])
		}
	})
}

// acted checks what a write does to the action of a container: an accepted action stays
// until it has ended, a successful one has had its effect, and only the end of an action
// removes the annotation that requested it.
func (l *Laws) acted(write cluster.Write) {
	before, _ := write.Before.(*containersv1.Container)
	after, _ := write.After.(*containersv1.Container)
	if before == nil || after == nil {
		return
	}
	running, last := runningAction(before), after.Status.LastAction
	if word := before.Annotations[containersv1.ActionAnnotation]; word != after.Annotations[containersv1.ActionAnnotation] {
		// On a hub, the outcome follows with the next write.
		hasEnded := l.hub != nil || runningAction(after) == nil
		if running == nil || string(running.Action) != word || !hasEnded {
			l.violateWrite(write, "the annotation %q was removed, and the action was %+v", word, running)
		}
	}
	switch {
	case running == nil:
		return
	case last == nil || last.Action != running.Action || !last.ObservedAt.Equal(&running.ObservedAt):
		l.violateWrite(write, "the action %+v was forgotten: %+v", running, last)
	case last.State == containersv1.ActionFailed && last.Error == "":
		l.violateWrite(write, "the action %+v failed without a reason", last)
	case last.State == containersv1.ActionSucceeded && !l.hadEffect(write.Key.Name, running):
		l.violateWrite(write, "the action %+v succeeded without its effect", running)
	}
}

// hadEffect reports whether a container was, at any moment since an action was accepted,
// in the state to which it leads.
func (l *Laws) hadEffect(id string, running *containersv1.ActionStatus) bool {
	for _, m := range l.machines {
		if m.Model.WasEver(id, running.ObservedAt.Time, func(c *containersv1.ContainerStatus) bool { return isEffect(running, c) }) {
			return true
		}
	}
	return false
}

func isEffect(running *containersv1.ActionStatus, now *containersv1.ContainerStatus) bool {
	var before *metav1.MicroTime
	if running.Before != nil {
		before = running.Before.StartedAt
	}
	switch running.Action {
	case containersv1.ActionRestart:
		return !before.Equal(now.StartedAt)
	case containersv1.ActionStart:
		return !before.Equal(now.StartedAt) || now.Status == containersv1.ContainerRunning
	case containersv1.ActionStop, containersv1.ActionKill:
		return now.PID == 0 || !before.Equal(now.StartedAt)
	case containersv1.ActionPause:
		return now.Status == containersv1.ContainerPaused
	case containersv1.ActionUnpause:
		return now.Status == containersv1.ContainerRunning
	}
	return false
}

// action checks that no action of a container waits.
func (p *problems) action(what string, c *containersv1.Container) {
	if c.DeletionTimestamp != nil {
		return
	}
	if word := c.Annotations[containersv1.ActionAnnotation]; word != "" {
		p.add("%s: the action %s waits", what, word)
	}
	if running := runningAction(c); running != nil {
		p.add("%s: the action %s has not ended", what, running.Action)
	}
}
