package vm

import (
	"math/rand/v2"
	"time"
)

const (
	// backoffFirst is the wait after the first failure in a row.
	backoffFirst = 500 * time.Millisecond
	// backoffCeiling bounds the wait, jitter included.
	backoffCeiling = 30 * time.Second
	// healthyAfter is how long an engine must have run for its death to count
	// as the first failure in a row again.
	healthyAfter = 5 * time.Minute
)

// backoff is the wait after the given number of failures in a row, counted from
// 1. It doubles each time up to a ceiling and is shortened by up to a quarter at
// random, so that several instances on one machine do not act in step. The draw
// is from the clock, so that on virtual time a run can be repeated.
func backoff(failures int) time.Duration {
	wait := backoffCeiling
	if shift := failures - 1; shift < 6 {
		wait = min(backoffFirst<<shift, backoffCeiling)
	}
	jitter := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), uint64(failures)))
	return wait - time.Duration(jitter.Int64N(int64(wait)/4))
}
