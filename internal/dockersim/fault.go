package dockersim

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Fault describes how a call fails. The parts take effect in their order.
type Fault struct {
	// Times is how many calls fail; 0 is all until the fault is removed.
	Times int
	// Do is called first, to change the model at that moment.
	Do func()
	// Latency delays the call.
	Latency time.Duration
	// Hang leaves the call without an answer until the client cancels.
	Hang bool
	// Drop closes the connection without an answer.
	Drop bool
	// Status is an HTTP status to answer with, 0 for the real answer.
	Status int
	// Message goes with Status.
	Message string
}

type faultRule struct {
	pattern string
	fault   Fault
	left    int
}

type faults struct {
	mu      sync.Mutex
	rules   []*faultRule
	latency time.Duration
	thawed  chan struct{} // open while the engine is frozen
	// eventRules drop and duplicate events.
	eventRules []*eventRule
}

// Inject makes calls fail, and returns a function that ends that. The pattern is an
// endpoint as in Calls; or a method and a path without API version, such as
// "DELETE /images/one:1", where a trailing * stands for any rest; or "*" for every call.
// When several patterns match, the first one with calls left applies.
func (e *Engine) Inject(pattern string, fault Fault) (remove func()) {
	rule := &faultRule{pattern: pattern, fault: fault, left: fault.Times}
	f := &e.faults
	f.mu.Lock()
	defer f.mu.Unlock()
	f.rules = append(f.rules, rule)
	return func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		for i, other := range f.rules {
			if other == rule {
				f.rules = append(f.rules[:i:i], f.rules[i+1:]...)
				return
			}
		}
	}
}

// SetLatency sets how long every call takes, beside its faults.
func (e *Engine) SetLatency(latency time.Duration) {
	e.faults.mu.Lock()
	defer e.faults.mu.Unlock()
	e.faults.latency = latency
}

// Freeze stops answering, as a stopped process does: connections are accepted,
// calls wait, streams are silent. No event is dropped; Thaw ends it.
func (e *Engine) Freeze() {
	e.faults.mu.Lock()
	defer e.faults.mu.Unlock()
	select {
	case <-e.faults.thawed:
		e.faults.thawed = make(chan struct{})
	default:
	}
}

// Thaw ends Freeze.
func (e *Engine) Thaw() {
	e.faults.mu.Lock()
	defer e.faults.mu.Unlock()
	select {
	case <-e.faults.thawed:
	default:
		close(e.faults.thawed)
	}
}

// awaitThaw returns false when the client gave up first.
func (f *faults) awaitThaw(ctx context.Context) bool {
	f.mu.Lock()
	thawed := f.thawed
	f.mu.Unlock()
	select {
	case <-thawed:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

// take finds the fault of a call and counts it.
func (f *faults) take(endpoint, call string) (Fault, time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, rule := range f.rules {
		if !matches(rule.pattern, endpoint, call) {
			continue
		}
		if rule.fault.Times > 0 {
			if rule.left--; rule.left == 0 {
				f.rules = append(f.rules[:i:i], f.rules[i+1:]...)
			}
		}
		return rule.fault, f.latency
	}
	return Fault{}, f.latency
}

func matches(pattern, endpoint, call string) bool {
	if prefix, ok := strings.CutSuffix(pattern, "*"); ok {
		return strings.HasPrefix(call, prefix)
	}
	return pattern == endpoint || pattern == call
}

// suffer carries out a fault. It returns false when the call has been dealt with.
func (e *Engine) suffer(w http.ResponseWriter, r *http.Request, endpoint, call string) bool {
	if !e.faults.awaitThaw(r.Context()) {
		return false
	}
	fault, latency := e.faults.take(endpoint, call)
	if fault.Do != nil {
		fault.Do()
	}
	if wait := latency + fault.Latency; wait > 0 {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-r.Context().Done():
			return false
		}
	}
	switch {
	case fault.Hang:
		<-r.Context().Done()
		return false
	case fault.Drop:
		// The one panic that net/http takes as "close the connection".
		panic(http.ErrAbortHandler) //nolint:forbidigo // the way net/http documents
	case fault.Status != 0:
		writeError(w, &apiError{status: fault.Status, message: fault.Message})
		return false
	}
	return true
}
