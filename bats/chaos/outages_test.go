package main

import (
	"strings"
	"testing"
	"time"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

func TestOutagesAreFound(t *testing.T) {
	l := newLedger()
	l.outages = []span{{minute(1), minute(1.1)}, {minute(1.1), minute(1.2)}}
	l.restarts = []span{{minute(1), minute(1.1)}}
	if got := l.outageSince(minute(1.15)); !got.Equal(minute(1.2)) {
		t.Errorf("the outage ended at %s", got)
	}
	if got := l.outageSince(minute(2)); !got.IsZero() {
		t.Errorf("an outage ended at %s", got)
	}
	if l.wasAway(minute(1), minute(2)) || len(l.restartsBetween(minute(1.05), minute(2))) != 1 || len(l.restartsBetween(minute(1.5), minute(2))) != 0 {
		t.Error("the restart, or its duration, is wrong")
	}
	l.outages = append(l.outages, span{from: minute(1.2)})
	if !l.wasAway(minute(1.15), minute(1.5)) {
		t.Error("an engine that is away since 18 seconds is not away")
	}
	if got := l.outageSince(minute(1)); time.Since(got) > time.Minute {
		t.Errorf("an outage that continues ended at %s", got)
	}
}

// A start for a desired state that has changed since is legal as long as it can be on its
// way. The engine can hold it for as long as it is suspended, and no longer.
func TestSuspendedEngineHoldsRequests(t *testing.T) {
	const second = time.Second
	for name, test := range map[string]struct {
		// suspensions are times since the change of the desired state, and sent that of the start.
		suspensions [][2]time.Duration
		sent        time.Duration
		isLegal     bool
	}{
		"soon":                       {nil, maxTransit - second, true},
		"late":                       {nil, maxTransit + second, false},
		"after a suspension":         {[][2]time.Duration{{-2 * second, 30 * second}}, 31 * second, true},
		"in a suspension":            {[][2]time.Duration{{-2 * second, 60 * second}}, 31 * second, true},
		"in one that continues":      {[][2]time.Duration{{-2 * second, 0}}, 31 * second, true},
		"long after a suspension":    {[][2]time.Duration{{-2 * second, 30 * second}}, 31*second + maxTransit, false},
		"suspension before":          {[][2]time.Duration{{-30 * second, -second}}, maxTransit + second, false},
		"suspension afterwards":      {[][2]time.Duration{{maxTransit + 2*second, 60 * second}}, maxTransit + second, false},
		"two suspensions":            {[][2]time.Duration{{0, 10 * second}, {12 * second, 20 * second}}, 21 * second, true},
		"late, with two suspensions": {[][2]time.Duration{{0, 10 * second}, {20 * second, 25 * second}}, 30 * second, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := newHistory()
			s.setsState(containersv1.StateRunning, 2)
			s.setsState(containersv1.StateCreated, 3)
			changed := s.now.Add(time.Second) // the history acknowledges it then
			for _, some := range test.suspensions {
				one := span{from: changed.Add(some[0])}
				if some[1] != 0 {
					one.to = changed.Add(some[1])
				}
				s.suspensions = append(s.suspensions, one)
			}
			s.sends("POST", starts)
			s.changes[0].began = changed.Add(test.sent)
			got := strings.Join(s.unrequested(s.changes, s.start), "; ")
			if test.isLegal && got != "" || !test.isLegal && !strings.Contains(got, "the desired state is created since") {
				t.Errorf("unrequested: %q, legal %t", got, test.isLegal)
			}
		})
	}
}
