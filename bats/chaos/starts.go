package main

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/rddtest"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/rddtest/dockerd"
)

// slack is how far the time of an event may be outside of the action that caused it.
const slack = 300 * time.Millisecond

// startLog records the starts of containers that the engine reports, without the daemon:
// they show a restart that was done twice, also when its answer was lost.
type startLog struct {
	mu sync.Mutex
	at map[string][]time.Time
	// last is the time of the last one.
	last time.Time
	// gaps are the times without a connection.
	gaps []span
}

func newStartLog() *startLog { return &startLog{at: map[string][]time.Time{}} }

// follow follows the engine until ctx ends, also after it was restarted.
func (s *startLog) follow(ctx context.Context, engine *dockerd.API) {
	for ctx.Err() == nil {
		_ = engine.Starts(ctx, s.lost(), s.connected, s.add) // it is followed again after an error
		_ = rddtest.Sleep(ctx, checkInterval/10)
	}
}

// lost records that there is no connection, and returns the time of the last start.
func (s *startLog) lost() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := len(s.gaps); n == 0 || !s.gaps[n-1].to.IsZero() {
		s.gaps = append(s.gaps, span{from: time.Now()})
	}
	if s.last.IsZero() {
		return time.Now()
	}
	return s.last
}

func (s *startLog) connected() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gaps[len(s.gaps)-1].to = time.Now()
}

// add records a start, unless it was reported before the connection broke.
func (s *startLog) add(id string, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.ContainsFunc(s.at[id], at.Equal) {
		s.at[id] = append(s.at[id], at)
	}
	if at.After(s.last) {
		s.last = at
	}
}

// since returns the starts of a container since a time, in their order.
func (s *startLog) since(id string, since time.Time) (all []time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, at := range s.at[id] {
		if at.After(since) {
			all = append(all, at)
		}
	}
	slices.SortFunc(all, time.Time.Compare)
	return all
}

// ids returns the containers that were ever started, sorted.
func (s *startLog) ids() (ids []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id := range s.at {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// missed reports whether a start may be missing between two times.
func (s *startLog) missed(from, to time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.ContainsFunc(s.gaps, func(gap span) bool { return gap.meets(from, to) })
}

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
func (l *ledger) judgeStarts(s *startLog, changes []change, since time.Time) (wrong []string) {
	ids, own := s.ids(), l.ownContainers(changes)
	for _, r := range l.acknowledged(since) {
		if r.verb == requestAction && !slices.Contains(ids, r.name) {
			ids = append(ids, r.name)
		}
	}
	for _, id := range ids {
		if !forActionsOnly(id) {
			continue
		}
		causes := l.causes(s, id)
		if object := objectOf(containersv1.KindContainer, id); l.isRequested(object) || own(object, time.Now()) {
			causes = append(causes, cause{what: "request for the container"})
		}
		wrong = append(wrong, judgeStartsOf(id, s.since(id, since), causes, since)...)
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
func (l *ledger) causes(s *startLog, id string) (all []cause) {
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
