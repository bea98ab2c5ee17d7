package docker

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/containerd/errdefs"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
)

// lateAPI has a container until it is removed. The second inspection, which begins
// before that, answers after three seconds.
type lateAPI struct {
	quietAPI
	events  chan Event
	removed *atomic.Bool
	reads   *atomic.Int32
	// lists is set when the engine lists the container even after the removal.
	lists bool
}

func (a lateAPI) Events(ctx context.Context, _ time.Time) (<-chan Event, <-chan error) {
	return a.events, endedWith(ctx)
}

func (a lateAPI) List(ctx context.Context, kind containersv1.Kind) ([]Listed, error) {
	if kind == containersv1.KindContainer && a.removed.Load() && !a.lists {
		return nil, nil
	}
	return a.quietAPI.List(ctx, kind)
}

func (a lateAPI) Inspect(ctx context.Context, kind containersv1.Kind, id string) ([]containersv1.Mirror, error) {
	switch {
	case a.reads.Add(1) == 2:
		time.Sleep(3 * time.Second)
	case a.removed.Load():
		return nil, errdefs.ErrNotFound
	}
	return a.quietAPI.Inspect(ctx, kind, id)
}

// Row E1: the event of a removal is lost, a full sync reports that the object is gone,
// and a reading from before the sync arrives after it.
func TestLateReadingDoesNotRestoreObject(t *testing.T) {
	for name, lists := range map[string]bool{"not listed": false, "listed and not found": true} {
		t.Run(name, func(t *testing.T) {
			a := lateAPI{removed: &atomic.Bool{}, reads: &atomic.Int32{}, lists: lists}
			watch(t, func() API {
				a.events = make(chan Event)
				return a
			}, nil, func(t *testing.T, r *recorder) {
				time.Sleep(9 * time.Second) // the second full sync begins at 10 s
				a.events <- event(containersv1.KindContainer, "c1", "start")
				time.Sleep(500 * time.Millisecond)
				a.removed.Store(true)
				time.Sleep(5 * time.Second)
				_, n := r.synced()
				if n != 2 {
					t.Fatalf("%d full syncs, want 2", n)
				}
				r.mu.Lock()
				defer r.mu.Unlock()
				if _, ok := r.events[len(r.events)-1].(engine.Synced); !ok {
					t.Errorf("after the sync: %+v", r.events[len(r.events)-1])
				}
			})
		})
	}
}
