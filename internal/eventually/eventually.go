// Package eventually waits in tests for what can only be looked at, again and
// again. What tells of itself, by a channel or a watch, is better waited for there.
package eventually

import (
	"testing"
	"time"
)

// glance is the time between two looks.
const glance = 2 * time.Millisecond

// Holds returns as soon as check has no complaint. It fails the test with the
// last one when that takes longer than patience.
func Holds(tb testing.TB, patience time.Duration, what string, check func() error) {
	tb.Helper()
	ticker := time.NewTicker(glance)
	defer ticker.Stop()
	for end := time.Now().Add(patience); ; <-ticker.C {
		err := check()
		if err == nil {
			return
		}
		if time.Now().After(end) {
			tb.Fatalf("waited %v for %s: %v", patience, what, err)
		}
	}
}

// True is Holds for a condition that has nothing to say.
func True(tb testing.TB, patience time.Duration, what string, condition func() bool) {
	tb.Helper()
	ticker := time.NewTicker(glance)
	defer ticker.Stop()
	for end := time.Now().Add(patience); !condition(); <-ticker.C {
		if time.Now().After(end) {
			tb.Fatalf("waited %v in vain for %s", patience, what)
		}
	}
}
