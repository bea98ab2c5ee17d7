package datastore

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// A single event is never delayed. In a burst, events are sent together.
func TestPaceOfBurst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPace(newFanOut())
		for round := range 2 {
			began := time.Now()
			for range burstWakes {
				p.wait(t.Context())
			}
			if took := time.Since(began); took != 0 {
				t.Errorf("round %d: the first wakes were delayed by %v", round, took)
			}
			for range 10 {
				p.wait(t.Context())
			}
			if took := time.Since(began); took != 10*wakeInterval {
				t.Errorf("round %d: ten more wakes took %v, want %v", round, took, 10*wakeInterval)
			}
			time.Sleep(burstWakes * wakeInterval)
		}
	})
}

// Thousands of watches are woken a few at a time, and a watch that ends does not wait.
func TestPaceOfManyWatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := newFanOut()
		began := time.Now()
		woken := make(chan time.Duration, 10*fanOut)
		for range cap(woken) {
			go func() {
				newPace(all).wait(t.Context())
				woken <- time.Since(began)
			}()
		}
		atOnce := 0
		for range cap(woken) {
			if at := <-woken; at == 0 {
				atOnce++
			}
		}
		if took := time.Since(began); atOnce != fanOut || took.Round(fanOutInterval) != 9*fanOutInterval {
			t.Errorf("%d watches were woken at once and the others after %v, want %d and %v", atOnce, took, fanOut, 9*fanOutInterval)
		}
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if newPace(all).wait(ended) {
			t.Error("a watch that has ended was woken")
		}
	})
}
