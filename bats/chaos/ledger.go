package main

import (
	"fmt"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// verb is the kind of a request.
type verb string

const (
	// engineChange is a change of the engine without the daemon.
	engineChange verb = "engine change"
	// setState is a write of spec.state.
	setState verb = "set state"
	// deleteMirror is a delete of a mirror.
	deleteMirror verb = "delete"
	// requestAction is a request for a one-shot action.
	requestAction verb = "action"
)

// request is a change of one object by a worker or a user.
type request struct {
	verb verb
	// object is named by objectOf.
	object string
	what   string
	began  time.Time
	// ended is zero while the outcome is unknown: the change may still happen.
	ended time.Time
	// acknowledged is set when the API server has accepted the request.
	acknowledged bool
	state        containersv1.DesiredState
	kind         containersv1.Kind
	name         string
	uid          types.UID
	generation   int64
	action       containersv1.Action
	// outcome of an action; nil while it is unknown.
	outcome *containersv1.ActionStatus
}

// objectOf names an object of the engine as the daemon names it in its requests:
// a container by ID, an image by tag, a volume by name.
func objectOf(kind containersv1.Kind, name string) string { return string(kind) + "/" + name }

// span is a time with a fault.
type span struct{ from, to time.Time }

func (s span) meets(from, to time.Time) bool {
	return s.from.Before(to) && (s.to.IsZero() || s.to.After(from))
}

// ledger records all requests and faults, for the judge.
type ledger struct {
	mu       sync.Mutex
	requests map[string][]*request
	// asked are the requests of users, and requested the containers that came of
	// them.
	asked     []*asked
	requested map[string]bool
	// deaths are the times at which the engine, and its containers, ended.
	deaths []time.Time
	// kills are the times without a daemon, and outages those with an impaired link
	// or an engine that does not answer.
	kills, outages []span
	// steps are the latest requests and faults, for a report.
	steps []string
	// Numbers of requests, of acknowledged ones, of ended containers, and of kills of the
	// daemon.
	operations, acknowledgements, ended, killed int
	// bursts has the number of events of each burst.
	bursts []int
}

// keptSteps limits the steps of a ledger.
const keptSteps = 400

func newLedger() *ledger {
	return &ledger{requests: map[string][]*request{}, requested: map[string]bool{}}
}

// step records a step for a report.
func (l *ledger) step(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.steps = append(l.steps, time.Now().UTC().Format("15:04:05.000 ")+text)
	l.steps = l.steps[max(0, len(l.steps)-keptSteps):]
}

// begin records a request before it is sent.
func (l *ledger) begin(r *request) {
	r.began = time.Now()
	l.step(string(r.verb) + " " + r.object + ": " + r.what)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.operations++
	l.requests[r.object] = append(l.requests[r.object], r)
}

// finish records the end of a request. known is false when it may still be applied.
func (l *ledger) finish(r *request, known bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if known {
		r.ended = time.Now()
	}
}

// acknowledge records that the API server has accepted a request.
func (l *ledger) acknowledge(r *request, uid types.UID, generation int64) {
	l.mu.Lock()
	r.acknowledged, r.uid, r.generation, r.ended = true, uid, generation, time.Now()
	l.acknowledgements++
	l.mu.Unlock()
	l.step("acknowledged " + string(r.verb) + " " + r.object + ": " + r.what)
}

// open records the start of a span, and returns a function that records its end.
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

// died records that the engine ended, with the number of its running containers.
func (l *ledger) died(running int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.deaths = append(l.deaths, time.Now())
	l.ended += running
}

// countKill records that the daemon is killed.
func (l *ledger) countKill() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.killed++
}

// burst records a burst and its number of events.
func (l *ledger) burst(events int) {
	l.step(fmt.Sprintf("burst of %d events", events))
	l.mu.Lock()
	defer l.mu.Unlock()
	l.bursts = append(l.bursts, events)
}

// of returns all requests for an object.
func (l *ledger) of(object string) []request {
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []request
	for _, r := range l.requests[object] {
		all = append(all, *r)
	}
	return all
}

// acknowledged returns the acknowledged requests since a time.
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
