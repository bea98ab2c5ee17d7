package main

import "time"

// disturbed reports whether there was a kill or an outage between two times.
func (l *ledger) disturbed(from, to time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, some := range [][]span{l.kills, l.outages} {
		for _, s := range some {
			if s.meets(from, to) {
				return true
			}
		}
	}
	return false
}

// away returns the time from the start of the first outage to the end of the last.
func (l *ledger) away(since, until time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	var first, last time.Time
	for _, s := range l.outages {
		if !s.meets(since, until) {
			continue
		}
		if first.IsZero() || s.from.Before(first) {
			first = s.from
		}
		if s.to.After(last) {
			last = s.to
		}
	}
	return last.Sub(first)
}

// diedAfter reports whether the engine ended after a time.
func (l *ledger) diedAfter(at time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.deaths) > 0 && l.deaths[len(l.deaths)-1].After(at)
}

// wasAway reports whether the engine was away for longer than the grace period, in an outage
// that meets the time between two others.
func (l *ledger) wasAway(from, to time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	var first, last time.Time
	for _, s := range l.outages {
		if !s.meets(from, to) {
			continue
		}
		if first.IsZero() || s.from.Before(first) {
			first = s.from
		}
		if s.to.IsZero() {
			s.to = to
		}
		if s.to.After(last) {
			last = s.to
		}
	}
	return last.Sub(first) > graceTime
}

// outageSince returns the end of the last outage that lasted until a time or later; it is
// zero if there was none, and now if there is one.
func (l *ledger) outageSince(since time.Time) (end time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range l.outages {
		switch {
		case s.to.IsZero():
			return time.Now()
		case s.to.After(since) && s.to.After(end):
			end = s.to
		}
	}
	return end
}

// restartsBetween returns the times without an engine that meet the time between two others.
func (l *ledger) restartsBetween(from, to time.Time) (all []span) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range l.restarts {
		if s.meets(from, to) {
			all = append(all, s)
		}
	}
	return all
}

// suspendedBetween returns how long the engine was suspended between two times.
func (l *ledger) suspendedBetween(from, to time.Time) (d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range l.suspensions {
		if !s.meets(from, to) {
			continue
		}
		if s.from.Before(from) {
			s.from = from
		}
		if s.to.IsZero() || s.to.After(to) {
			s.to = to
		}
		d += s.to.Sub(s.from)
	}
	return d
}

// keep records the ID of one of the judge's own containers.
func (l *ledger) keep(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.kept[id] = true
}

// isKept reports whether a container is one of the judge's own.
func (l *ledger) isKept(id string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.kept[id]
}
