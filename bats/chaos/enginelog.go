package main

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/rddtest"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/rddtest/dockerd"
)

// Events of a container.
const (
	startEvent  = "start"
	endEvent    = "die"
	removeEvent = "destroy"
)

// engineEvent is an event of a container.
type engineEvent struct {
	action string
	at     time.Time
}

// engineLog records the starts, ends and removals of containers that the engine reports,
// without the daemon: they show what was done twice, also when its answer was lost.
type engineLog struct {
	mu     sync.Mutex
	events map[string][]engineEvent
	// last is the time of the last one.
	last time.Time
	// gaps are the times without a connection.
	gaps []span
}

func newEngineLog() *engineLog { return &engineLog{events: map[string][]engineEvent{}} }

// follow follows the engine until ctx ends, also after it was restarted.
func (s *engineLog) follow(ctx context.Context, engine *dockerd.API) {
	for ctx.Err() == nil {
		// It is followed again after an error.
		_ = engine.ContainerEvents(ctx, s.lost(), []string{startEvent, endEvent, removeEvent}, s.connected, s.add)
		_ = rddtest.Sleep(ctx, checkInterval/10)
	}
}

// lost records that there is no connection, and returns the time of the last event.
func (s *engineLog) lost() time.Time {
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

func (s *engineLog) connected() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gaps[len(s.gaps)-1].to = time.Now()
}

// add records an event, unless it was reported before the connection broke.
func (s *engineLog) add(action, id string, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	isSame := func(e engineEvent) bool { return e.action == action && e.at.Equal(at) }
	if !slices.ContainsFunc(s.events[id], isSame) {
		s.events[id] = append(s.events[id], engineEvent{action, at})
	}
	if at.After(s.last) {
		s.last = at
	}
}

// of returns the times of a container's events of one action since a time, in their order.
func (s *engineLog) of(action, id string, since time.Time) (all []time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.events[id] {
		if e.action == action && e.at.After(since) {
			all = append(all, e.at)
		}
	}
	slices.SortFunc(all, time.Time.Compare)
	return all
}

// ids returns the containers that were ever started, sorted.
func (s *engineLog) ids() (ids []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, all := range s.events {
		if slices.ContainsFunc(all, func(e engineEvent) bool { return e.action == startEvent }) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// missed reports whether an event may be missing between two times.
func (s *engineLog) missed(from, to time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.ContainsFunc(s.gaps, func(gap span) bool { return gap.meets(from, to) })
}

// since describes the events of all containers since a time, by ID.
func (s *engineLog) since(since time.Time) map[string][]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := map[string][]string{}
	for id, events := range s.events {
		for _, e := range events {
			if e.at.After(since) {
				all[id] = append(all[id], e.action+" at "+clock(e.at))
			}
		}
	}
	return all
}
