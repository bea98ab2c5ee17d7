package async

import (
	"math/rand/v2"
	"time"
)

// Backoff computes exponential delays with jitter and a ceiling.
type Backoff struct {
	// Min is the first delay, greater than zero.
	Min time.Duration
	// Max is the ceiling; no delay is longer.
	Max time.Duration
}

// Delay before try number attempt, which counts from 1. It lies between half
// of the exponential value and the value itself. Where in between is drawn from
// the clock: callers that fail at different nanoseconds do not act in step, and
// on virtual time a run can be repeated.
func (b Backoff) Delay(attempt int) time.Duration {
	d := b.Min
	for i := 1; i < attempt && d < b.Max; i++ {
		d *= 2
	}
	d = min(d, b.Max)
	jitter := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), uint64(attempt)))
	return d/2 + time.Duration(jitter.Int64N(int64(d/2)+1))
}

// Spread returns a part of d, less than d, so that callers that notice one event at the same
// time do not act in step. d is greater than zero. The part is drawn from the clock, as in
// Delay.
func Spread(d time.Duration) time.Duration {
	draw := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 0))
	return time.Duration(draw.Int64N(int64(d)))
}
