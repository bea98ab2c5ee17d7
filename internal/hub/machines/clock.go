package machines

import (
	"bytes"
	"net/http"
	"sync"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
)

// HubClock is the clock of the hub, as its answers show it, to the second. Times that are
// stored on the hub are read and written on this clock only: each machine and each
// administrator may have another one. It is safe for concurrent use.
type HubClock struct {
	mu sync.Mutex
	// date is the time in the last answer, and at when that arrived; zero before the first
	// one.
	date, at time.Time
}

// Now returns the time of the hub, and the time of this machine if no answer has had one.
func (c *HubClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.date.IsZero() {
		return time.Now()
	}
	return c.date.Add(time.Since(c.at))
}

// Wrap returns a transport that reads the clock from all answers.
func (c *HubClock) Wrap(next http.RoundTripper) http.RoundTripper {
	return &clockTransport{clock: c, next: next}
}

type clockTransport struct {
	clock *HubClock
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

// RenewedAt returns when a Lease was last renewed, on the clock of the hub: the API server
// records when the manager of a field last changed it. It is zero if that is not known. The
// time in the Lease itself is on the clock of the machine, which is compared with no other.
func RenewedAt(lease *coordinationv1.Lease) time.Time {
	var at time.Time
	if lease == nil {
		return at
	}
	for _, entry := range lease.ManagedFields {
		isRenewal := entry.FieldsV1 != nil && bytes.Contains(entry.FieldsV1.GetRawBytes(), []byte(`"f:renewTime"`))
		if isRenewal && entry.Time != nil && entry.Time.After(at) {
			at = entry.Time.Time
		}
	}
	return at
}
