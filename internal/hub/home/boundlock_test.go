package home

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

// freeLock is a lock that grants everything.
type freeLock struct{ resourcelock.Interface }

func (freeLock) Update(context.Context, resourcelock.LeaderElectionRecord) error { return nil }

func TestEndedElectionReleasesNothingLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, end := context.WithCancel(t.Context())
		lock := newBoundLock(ctx, freeLock{})
		time.Sleep(time.Hour)
		end()
		for _, step := range []struct {
			after time.Duration
			want  error
		}{{0, nil}, {releaseWithin / 2, nil}, {releaseWithin, errElectionEnded}} {
			time.Sleep(step.after)
			synctest.Wait()
			if err := lock.Update(t.Context(), resourcelock.LeaderElectionRecord{}); !errors.Is(err, step.want) {
				t.Errorf("%s later: %v, want %v", step.after, err, step.want)
			}
		}
	})
}
