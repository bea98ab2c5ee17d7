package docker

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
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

// refusingAPI refuses to list volumes until it is repaired.
type refusingAPI struct {
	quietAPI
	isRepaired *atomic.Bool
}

func (e refusingAPI) List(ctx context.Context, kind containersv1.Kind) ([]Listed, error) {
	if kind == containersv1.KindVolume && !e.isRepaired.Load() {
		return nil, failed("list volumes", errors.New("plugin \"backup\" not found"))
	}
	return e.quietAPI.List(ctx, kind)
}

// One kind that the engine cannot list hides no other one, and is soon listed again.
func TestRefusedListEndsNoSync(t *testing.T) {
	var isRepaired atomic.Bool
	watch(t, func() API { return refusingAPI{isRepaired: &isRepaired} }, nil, func(t *testing.T, r *recorder) {
		time.Sleep(time.Minute)
		last, n := r.synced()
		if err := last.Unlisted[containersv1.KindVolume]; r.result() != nil || len(last.Unlisted) != 1 || err == nil || err.Error() != `list volumes: plugin "backup" not found` {
			t.Fatalf("the watch returned %v, unlisted kinds %v", r.result(), last.Unlisted)
		}
		if n < 3 || n > 8 {
			t.Errorf("%d full syncs in a minute", n)
		}
		if !r.has(engine.Key{Kind: containersv1.KindContainer, ID: "c1"}) {
			t.Error("the container is not reported")
		}
		isRepaired.Store(true)
		time.Sleep(35 * time.Second)
		if last, _ := r.synced(); len(last.Unlisted) != 0 || !r.has(engine.Key{Kind: containersv1.KindVolume, ID: "v1"}) {
			t.Errorf("after the repair: unlisted kinds %v", last.Unlisted)
		}
	})
}
