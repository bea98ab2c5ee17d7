package main

import (
	"fmt"
	"slices"
	"time"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// slack is how far the time of an event may be outside of the action that caused it.
const slack = 300 * time.Millisecond

// cause is something that starts a container once at most.
type cause struct {
	span

	what string
	// isCertain is set for one that must have started it.
	isCertain bool
}

// judgeStarts finds containers, of those that users change by actions alone, that were not
// started once by each restart. An action starts a container once at most, and so does the
// request that the daemon has created it for.
func (l *ledger) judgeStarts(s *engineLog, changes []change, since time.Time) (wrong []string) {
	ids, own := s.ids(), l.ownContainers(changes)
	for _, r := range l.acknowledged(since) {
		if r.verb == requestAction && !slices.Contains(ids, r.name) {
			ids = append(ids, r.name)
		}
	}
	for _, id := range ids {
		if !forActionsOnly(id) || l.isKept(id) {
			continue
		}
		causes := l.causes(s, id)
		if object := objectOf(containersv1.KindContainer, id); l.isRequested(object) || own(object, time.Now()) {
			causes = append(causes, cause{what: "request for the container"})
		}
		wrong = append(wrong, judgeStartsOf(id, s.of(startEvent, id, since), causes, since)...)
	}
	return wrong
}

func judgeStartsOf(id string, starts []time.Time, causes []cause, since time.Time) (wrong []string) {
	without, left := assign(starts, causes)
	for _, at := range without {
		wrong = append(wrong, fmt.Sprintf("container %s was started at %s without an action of its own, left are %v", id, clock(at), left))
	}
	// Both checks can be made on their own: two matchings of a bipartite graph, of which one
	// covers all starts and the other all certain causes, combine to one that covers both.
	_, left = assign(starts, slices.DeleteFunc(causes, func(c cause) bool { return !c.isCertain }))
	for _, c := range left {
		if c.from.After(since) {
			wrong = append(wrong, fmt.Sprintf("container %s was not started by the %s that succeeded", id, c))
		}
	}
	return wrong
}

// assign assigns as many starts, sorted by time, to causes as possible, and returns those
// that are left of both. A start takes the cause that ends first.
func assign(starts []time.Time, causes []cause) (without []time.Time, left []cause) {
	left = slices.Clone(causes)
	for _, at := range starts {
		best := -1
		for i, c := range left {
			if c.meets(at.Add(-slack), at.Add(slack)) && (best < 0 || c.endsBefore(left[best])) {
				best = i
			}
		}
		if best < 0 {
			without = append(without, at)
		} else {
			left = slices.Delete(left, best, best+1)
		}
	}
	return without, left
}

// causes returns the actions, and the changes by workers, that may have started a container.
func (l *ledger) causes(s *engineLog, id string) (all []cause) {
	for _, r := range l.of(objectOf(containersv1.KindContainer, id)) {
		switch {
		case r.verb == requestAction && r.starts() && !r.wasRejected():
			w := r.window()
			isDone := r.outcome != nil && r.outcome.State == containersv1.ActionSucceeded && r.action == containersv1.ActionRestart
			all = append(all, cause{w, r.what, isDone && !s.missed(w.from.Add(-time.Second), w.to.Add(time.Second))})
		case r.verb == engineChange && (r.what == "start" || r.what == "restart"):
			all = append(all, cause{span{r.began, r.ended}, r.what + " by a worker", false})
		}
	}
	return all
}

func (c cause) endsBefore(other cause) bool {
	return !c.to.IsZero() && (other.to.IsZero() || c.to.Before(other.to))
}

func (c cause) String() string {
	return fmt.Sprintf("%s from %s to %s", c.what, clock(c.from), clock(c.to))
}

func clock(at time.Time) string { return at.UTC().Format("15:04:05.000") }
