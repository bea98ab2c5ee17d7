package home

import (
	"errors"
	"net/http"
	"slices"
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
	// leases is the path of the Lease, without its name.
	leases string
	// free are the paths of what a machine writes without its Lease too: a new token, and
	// the status of its Machine, in which it reports that it has left.
	free []string

	mu    sync.Mutex
	until time.Time
}

// RoundTrip implements http.RoundTripper.
func (f *fence) RoundTrip(r *http.Request) (*http.Response, error) {
	isLease := strings.HasPrefix(r.URL.Path, f.leases)
	began := time.Now().Round(0) // without the monotonic clock
	if r.Method != http.MethodGet && !isLease && !slices.Contains(f.free, r.URL.Path) {
		if err := f.check(); err != nil {
			closeBody(r)
			return nil, err
		}
	}
	response, err := f.next.RoundTrip(r)
	if err == nil && isLease && r.Method != http.MethodGet {
		f.renewed(began, response.StatusCode < http.StatusMultipleChoices)
	}
	return response, err
}

// check returns an error unless the Lease is known to be valid.
func (f *fence) check() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if left := f.until.Sub(time.Now().Round(0)); left <= 0 || left > leaseDuration {
		return errFenced
	}
	return nil
}

// invalidate ends the validity, because the Lease was lost or released.
func (f *fence) invalidate() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.until = time.Time{}
}

// renewed records the outcome of a write of the Lease.
func (f *fence) renewed(began time.Time, isAccepted bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if isAccepted {
		f.until = began.Add(leaseDuration)
	}
}
