package datastore

import (
	"context"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

const (
	// paceWindow is how often a watch of a client is woken in a burst. The events of a window
	// are sent together: one encryption and one system call for all of them.
	paceWindow = 5 * time.Millisecond
	// burstEvents is the number of events in a window that make a burst. A client that waits
	// for each event before it causes the next one has fewer, so it is never delayed: a new
	// mirror is two events and takes most of a millisecond.
	burstEvents = 20

	// fanOutSize is how many watches of clients are woken at once, and again in each
	// fanOutInterval. Without a limit, a write would wait until thousands of watches have sent
	// the one before.
	fanOutSize     = 64
	fanOutInterval = 2 * time.Millisecond
)

// pace limits how often a watch takes events in a burst. The zero value has no burst, and nil
// has never one.
type pace struct {
	// began is when the present window began, and events is how many were taken in it.
	began  time.Time
	events int
}

// delay returns how long a watch that has events waits before it takes them.
func (p *pace) delay() time.Duration {
	if p.events < burstEvents {
		return 0
	}
	return max(0, paceWindow-time.Since(p.began))
}

// wait waits while a burst of events arrives. It returns false if ctx ends before.
func (p *pace) wait(ctx context.Context) bool {
	if p == nil {
		return true
	}
	delay := p.delay()
	if delay == 0 {
		return true
	}
	select {
	case <-ctx.Done():
		return false
	case <-time.After(delay):
		return true
	}
}

// took notes that the watch has taken n events.
func (p *pace) took(n int) {
	if p == nil {
		return
	}
	if now := time.Now(); now.Sub(p.began) >= paceWindow {
		p.began, p.events = now, 0
	}
	p.events += n
}

// fanOut wakes the watches of clients, a few at a time if there are thousands.
type fanOut struct {
	limiter *rate.Limiter

	mutex sync.Mutex
	// waiting have events, and are not woken yet.
	waiting []*subscription
	// running is set while a goroutine wakes them.
	running bool
}

func newFanOut() *fanOut {
	return &fanOut{limiter: rate.NewLimiter(rate.Every(fanOutInterval/fanOutSize), fanOutSize)}
}

// wake wakes a watch, at once or after those that wait already. ctx is that of the store.
func (f *fanOut) wake(ctx context.Context, s *subscription) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	switch {
	case s.waits:
	case !f.running && f.limiter.Allow():
		s.signal()
	default:
		s.waits = true
		f.waiting = append(f.waiting, s)
		if !f.running {
			f.running = true
			go f.run(ctx)
		}
	}
}

// run wakes the watches that wait, until there is none or ctx ends.
func (f *fanOut) run(ctx context.Context) {
	for f.limiter.WaitN(ctx, fanOutSize) == nil {
		f.mutex.Lock()
		some := f.waiting[:min(len(f.waiting), fanOutSize)]
		for _, s := range some {
			s.waits = false
			s.signal()
		}
		f.waiting = f.waiting[len(some):]
		if len(f.waiting) == 0 {
			f.waiting, f.running = nil, false
			f.mutex.Unlock()
			return
		}
		f.mutex.Unlock()
	}
}
