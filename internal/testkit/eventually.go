package testkit

import (
	"errors"
	"testing"
	"time"
)

// pollInterval is the time between two calls of a check.
const pollInterval = 2 * time.Millisecond

// Eventually polls check until it returns nil. It fails the test with the last
// error after timeout. Prefer a channel or a watch where there is one.
func Eventually(tb testing.TB, timeout time.Duration, what string, check func() error) {
	tb.Helper()
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	for deadline := time.Now().Add(timeout); ; <-ticker.C {
		err := check()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			tb.Fatalf("waited %v for %s: %v", timeout, what, err)
		}
	}
}

// EventuallyTrue polls condition until it returns true. It fails the test after
// timeout.
func EventuallyTrue(tb testing.TB, timeout time.Duration, what string, condition func() bool) {
	tb.Helper()
	Eventually(tb, timeout, what, func() error {
		if condition() {
			return nil
		}
		return errors.New("the condition is still false")
	})
}
