package docker

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// slowAPI has many containers and needs 20 s for each. An inspection of the container
// hangs, if it is set, never ends by itself.
type slowAPI struct {
	quietAPI
	containers int
	hangs      string
	lists      *atomic.Int32
}

func (e slowAPI) List(ctx context.Context, kind containersv1.Kind) ([]Listed, error) {
	if kind != containersv1.KindContainer {
		return e.quietAPI.List(ctx, kind)
	}
	e.lists.Add(1)
	var ids []string
	for i := range e.containers {
		ids = append(ids, fmt.Sprint("c", i))
	}
	return listedIDs(ids...), nil
}

func (e slowAPI) Inspect(ctx context.Context, kind containersv1.Kind, id string) ([]containersv1.Mirror, error) {
	duration := 20 * time.Second
	if id == e.hangs {
		duration = time.Hour
	}
	select {
	case <-time.After(duration):
		return e.quietAPI.Inspect(ctx, kind, id)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// syncSlowly watches a slow engine for a time, and returns how many objects of the
// last full sync could not be read.
func syncSlowly(t *testing.T, e slowAPI, duration time.Duration) (unread int) {
	t.Helper()
	e.lists = &atomic.Int32{}
	watch(t, func() API { return e }, nil, func(t *testing.T, r *recorder) {
		time.Sleep(duration)
		last, n := r.synced()
		if lists := e.lists.Load(); n != 1 || lists != 1 {
			t.Errorf("%d full syncs after %d lists, want one of each", n, lists)
		}
		unread = len(last.Unread)
	})
	return unread
}

// A sync with a limit for the whole of it would start over and never finish.
func TestSyncMayTakeLong(t *testing.T) {
	if unread := syncSlowly(t, slowAPI{containers: 800}, 33*time.Minute+25*time.Second); unread != 0 {
		t.Errorf("%d objects were not read", unread)
	}
}

func TestHangingObjectDelaysNoSync(t *testing.T) {
	if unread := syncSlowly(t, slowAPI{containers: 8, hangs: "c3"}, 35*time.Second); unread != 1 {
		t.Errorf("%d objects were not read, want one", unread)
	}
}

func TestResyncPauseGrows(t *testing.T) {
	longest := 5 * time.Minute
	for syncs, want := range map[int]time.Duration{
		1: 10 * time.Second, 2: 20 * time.Second, 3: 40 * time.Second, 5: 160 * time.Second, 6: longest, 100: longest,
	} {
		if got := resyncPause(syncs, longest); got != want {
			t.Errorf("after %d syncs: %s, want %s", syncs, got, want)
		}
	}
	if got := resyncPause(1, time.Second); got != time.Second {
		t.Errorf("with a shorter limit: %s", got)
	}
}
