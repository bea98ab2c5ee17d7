package main

import (
	"fmt"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// verb is what somebody asked for.
type verb string

const (
	// touch is any change in the engine, past the daemon.
	touch verb = "touch"
	// wish is a write of spec.state.
	wish verb = "wish"
	// remove is a delete of a mirror.
	remove verb = "delete"
)

// request is what somebody asked for, of one object.
type request struct {
	verb verb
	// object is as objectOf says.
	object string
	what   string
	began  time.Time
	// ended is zero while nobody knows whether it was carried out: it may still be.
	ended time.Time
	// acknowledged by the API server.
	acknowledged bool
	state        containersv1.DesiredState
	kind         containersv1.Kind
	name         string
	uid          types.UID
	generation   int64
}

// objectOf names an object of the engine as the daemon names it in its requests:
// a container by ID, an image by tag, a volume by name.
func objectOf(kind containersv1.Kind, name string) string { return string(kind) + "/" + name }

// span is a time in which something was wrong.
type span struct{ from, to time.Time }

func (s span) meets(from, to time.Time) bool {
	return s.from.Before(to) && (s.to.IsZero() || s.to.After(from))
}

// ledger is who asked for what, and what went wrong when. Judgement is by it.
type ledger struct {
	mu       sync.Mutex
	requests map[string][]*request
	// deaths of the engine's process, with which containers end.
	deaths []time.Time
	// kills are the times without a daemon, and weather those with a bad link or
	// an engine that does not answer.
	kills, weather []span
	// steps are the last of everything, for a report.
	steps []string
	// operations, acknowledged wishes and ended containers are counted.
	operations, wishes, ended int
	// bursts have so many events, each.
	bursts []int
}

// steps that are kept.
const stepsKept = 400

func newLedger() *ledger { return &ledger{requests: map[string][]*request{}} }

// step notes what happens, for a report.
func (l *ledger) step(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.steps = append(l.steps, time.Now().UTC().Format("15:04:05.000 ")+text)
	l.steps = l.steps[max(0, len(l.steps)-stepsKept):]
}

// begin notes a request before it is sent.
func (l *ledger) begin(r *request) {
	r.began = time.Now()
	l.step(string(r.verb) + " " + r.object + ": " + r.what)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.operations++
	l.requests[r.object] = append(l.requests[r.object], r)
}

// finish notes how a request ended. known is false when it may still be carried out.
func (l *ledger) finish(r *request, known bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if known {
		r.ended = time.Now()
	}
}

// acknowledge notes that the API server took a request.
func (l *ledger) acknowledge(r *request, uid types.UID, generation int64) {
	l.mu.Lock()
	r.acknowledged, r.uid, r.generation, r.ended = true, uid, generation, time.Now()
	l.wishes++
	l.mu.Unlock()
	l.step("acknowledged " + string(r.verb) + " " + r.object + ": " + r.what)
}

// open notes the beginning of a bad time, and returns what notes its end.
func (l *ledger) open(spans *[]span) (end func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	at := len(*spans)
	*spans = append(*spans, span{from: time.Now()})
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		(*spans)[at].to = time.Now()
	}
}

// died notes that the engine's process ends, with so many running containers.
func (l *ledger) died(running int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.deaths = append(l.deaths, time.Now())
	l.ended += running
}

// burst notes one with so many events.
func (l *ledger) burst(events int) {
	l.step(fmt.Sprintf("burst of %d events", events))
	l.mu.Lock()
	defer l.mu.Unlock()
	l.bursts = append(l.bursts, events)
}

// of returns what was asked of an object.
func (l *ledger) of(object string) []request {
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []request
	for _, r := range l.requests[object] {
		all = append(all, *r)
	}
	return all
}

// acknowledged returns the requests since a time that the API server took.
func (l *ledger) acknowledged(since time.Time) []request {
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []request
	for _, some := range l.requests {
		for _, r := range some {
			if r.acknowledged && r.began.After(since) {
				all = append(all, *r)
			}
		}
	}
	return all
}

// disturbed is whether a daemon was killed, the engine silent or the link bad
// between two times.
func (l *ledger) disturbed(from, to time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, some := range [][]span{l.kills, l.weather} {
		for _, s := range some {
			if s.meets(from, to) {
				return true
			}
		}
	}
	return false
}

// away is how long the engine could not be had since a time, at the most: from
// the first trouble on.
func (l *ledger) away(since, until time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	var first, last time.Time
	for _, s := range l.weather {
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

// diedAfter is whether the engine's process ended after a time.
func (l *ledger) diedAfter(at time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.deaths) > 0 && l.deaths[len(l.deaths)-1].After(at)
}
