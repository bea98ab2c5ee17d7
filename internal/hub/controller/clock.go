package controller

import (
	"net/http"
	"sync"
	"time"
)

// hubClock is the clock of the hub, as its answers show it, to the second. Times that are
// stored on the hub are read and written on this clock only, because the next controller may
// run on a machine with another one.
type hubClock struct {
	mu sync.Mutex
	// date is the time in the last answer, and at when that arrived; zero before the first
	// one.
	date, at time.Time
}

// now returns the time of the hub, and the time of this machine if no answer has had one.
func (c *hubClock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.date.IsZero() {
		return time.Now()
	}
	return c.date.Add(time.Since(c.at))
}

// wrap returns a transport that reads the clock from all answers.
func (c *hubClock) wrap(next http.RoundTripper) http.RoundTripper {
	return &clockTransport{clock: c, next: next}
}

type clockTransport struct {
	clock *hubClock
	next  http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (t *clockTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := t.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if date, err := http.ParseTime(response.Header.Get("Date")); err == nil {
		t.clock.mu.Lock()
		t.clock.date, t.clock.at = date, time.Now()
		t.clock.mu.Unlock()
	}
	return response, nil
}
