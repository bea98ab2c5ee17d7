package datastore

import (
	"testing"
	"testing/synctest"
	"time"
)

// Events that follow each other slowly are never delayed. In a burst they are sent together,
// and afterwards nothing is delayed again.
func TestPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p pace
		take := func(n int, want time.Duration) {
			t.Helper()
			got := p.delay()
			if got != want {
				t.Errorf("%d events were delayed by %v, want %v", n, got, want)
			}
			time.Sleep(got) //nolint:forbidigo // virtual time
			p.took(n)
		}
		for range 3 {
			for range 100 {
				take(1, 0)
				time.Sleep(time.Millisecond) //nolint:forbidigo // virtual time
			}
			time.Sleep(paceWindow) //nolint:forbidigo // virtual time
			for range burstEvents {
				take(1, 0)
			}
			for range 10 {
				take(burstEvents, paceWindow)
			}
			take(1, paceWindow)
			take(1, 0)
		}
	})
}

// Thousands of watches are woken a few at a time, each once, and nothing runs afterwards.
func TestFanOutToManyWatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const watches = 10 * fanOutSize
		f := newFanOut()
		all := make([]*subscription, watches)
		for i := range all {
			all[i] = newSubscription("/a/", true)
		}
		for round := range 2 {
			for _, s := range all {
				f.wake(t.Context(), s)
				f.wake(t.Context(), s)
			}
			woken := func() (n int) {
				synctest.Wait()
				for _, s := range all {
					n += len(s.wake)
				}
				return n
			}
			if n := woken(); n > fanOutSize {
				t.Errorf("round %d: %d watches were woken at once, want at most %d", round, n, fanOutSize)
			}
			time.Sleep(10*fanOutInterval + time.Millisecond) //nolint:forbidigo // virtual time
			if n := woken(); n != watches {
				t.Errorf("round %d: %d of %d watches were woken", round, n, watches)
			}
			for _, s := range all {
				<-s.wake
			}
			if f.running || len(f.waiting) > 0 {
				t.Errorf("round %d: it still runs, with %d watches", round, len(f.waiting))
			}
		}
	})
}
