package fate

import (
	"context"
	"time"
)

// straggle is how long after the end of its context a call returns.
const straggle = 50 * time.Microsecond

// Wait returns after about d, or soon after ctx has ended, with its error. No
// two waits end at the same instant.
func (f *Fates) Wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(f.book(d))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		// It differs between the calls that end with one context.
		f.Pass(straggle + d%straggle)
		return ctx.Err()
	}
}

// Pass returns after about d of virtual time.
func (f *Fates) Pass(d time.Duration) { <-time.NewTimer(f.book(d)).C }

// book returns the time to an instant about d from now at which no other wait ends.
func (f *Fates) book(d time.Duration) time.Duration {
	now := time.Now()
	at := now.Add(d).UnixNano()
	f.mu.Lock()
	defer f.mu.Unlock()
	for {
		if _, taken := f.booked[at]; !taken {
			break
		}
		at++
	}
	f.booked[at] = struct{}{}
	return time.Duration(at - now.UnixNano())
}
