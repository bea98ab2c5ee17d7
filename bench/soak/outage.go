package main

import (
	"sync"
	"time"
)

// recovery is how long after an outage an operation may still fail because of it: it may have
// begun with a connection that the outage broke.
const recovery = 2 * time.Second

// outages are the times in which a daemon, or its engine, was restarted.
type outages struct {
	mu  sync.Mutex
	all []outage
}

// outage has no end while it lasts.
type outage struct{ from, to time.Time }

// begin begins an outage. The caller must call end.
func (o *outages) begin() (end func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	at := len(o.all)
	o.all = append(o.all, outage{from: time.Now()})
	return func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.all[at].to = time.Now()
	}
}

// during reports whether an operation overlaps with an outage.
func (o *outages) during(began, ended time.Time) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, one := range o.all {
		if one.from.Before(ended) && (one.to.IsZero() || began.Before(one.to.Add(recovery))) {
			return true
		}
	}
	return false
}
