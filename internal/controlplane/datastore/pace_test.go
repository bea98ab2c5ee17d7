package datastore

import (
	"testing"
	"testing/synctest"
	"time"
)

// A single event is never delayed. In a burst, events are sent together.
func TestPaceOfBurst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPace()
		wait := func(times int) {
			for range times {
				if err := p.Wait(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
		}
		for round := range 2 {
			began := time.Now()
			wait(burstWakes)
			if took := time.Since(began); took != 0 {
				t.Errorf("round %d: the first wakes were delayed by %v", round, took)
			}
			wait(10)
			if took := time.Since(began); took != 10*wakeInterval {
				t.Errorf("round %d: ten more wakes took %v, want %v", round, took, 10*wakeInterval)
			}
			time.Sleep(burstWakes * wakeInterval) //nolint:forbidigo // virtual time
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
