package datastore

import (
	"context"
	"time"

	"golang.org/x/time/rate"
)

const (
	// burstWakes is how many times in a row a watch of a client is woken at once.
	burstWakes = 16
	// wakeInterval is the time between two wakes after that. Events that arrive in between are
	// sent together: one encryption and one system call for all of them.
	wakeInterval = 5 * time.Millisecond

	// fanOut is how many watches of clients are woken at once, and again in each fanOutInterval.
	// Without a limit, a write would wait until thousands of watches have sent the one before.
	fanOut         = 64
	fanOutInterval = 2 * time.Millisecond
)

// pace limits the wakes of a client's watch: in a burst of events, and while thousands of
// others are woken.
type pace struct {
	own *rate.Limiter
	// all is shared by the watches of a store.
	all *rate.Limiter
}

func newFanOut() *rate.Limiter {
	return rate.NewLimiter(rate.Every(fanOutInterval/fanOut), fanOut)
}

func newPace(all *rate.Limiter) *pace {
	return &pace{own: rate.NewLimiter(rate.Every(wakeInterval), burstWakes), all: all}
}

// wait returns when the watch may be woken. It returns false if ctx ends before.
func (p *pace) wait(ctx context.Context) bool {
	return p.own.Wait(ctx) == nil && p.all.Wait(ctx) == nil
}
