package home

import (
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"
)

// errFenced is the error of a write without a Lease that is known to be valid.
var errFenced = errors.New("the Lease of this machine was not renewed in time")

// fence is a transport that sends writes only while the Lease is known to be valid: until
// leaseDuration after the begin of the last request that renewed it. Before the machine
// learns that its Lease was lost, such as after it was suspended for an hour, another
// machine may write already. It uses the wall clock, because others stand still while a
// machine is suspended. If that clock jumps, writes wait for the next renewal.
type fence struct {
	next http.RoundTripper

	mu    sync.Mutex
	until time.Time
}

// RoundTrip implements http.RoundTripper.
func (f *fence) RoundTrip(r *http.Request) (*http.Response, error) {
	isLease := strings.Contains(r.URL.Path, "/leases/") || strings.HasSuffix(r.URL.Path, "/leases")
	began := time.Now().Round(0) // without the monotonic clock
	if r.Method != http.MethodGet && !isLease && !f.isValid(began) {
		if r.Body != nil {
			_ = r.Body.Close()
		}
		return nil, errFenced
	}
	response, err := f.next.RoundTrip(r)
	if err == nil && isLease && r.Method != http.MethodGet {
		f.renewed(began, response.StatusCode < http.StatusMultipleChoices)
	}
	return response, err
}

func (f *fence) isValid(now time.Time) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	left := f.until.Sub(now)
	return left > 0 && left <= leaseDuration
}

// renewed records the outcome of a write of the Lease.
func (f *fence) renewed(began time.Time, isAccepted bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if isAccepted {
		f.until = began.Add(leaseDuration)
	}
}
