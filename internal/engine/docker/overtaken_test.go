package docker

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
)

// overtakingAPI answers the second inspection of c1 late, and the third one at once
// with an error. The inspection of c2 keeps a full sync running.
type overtakingAPI struct {
	quietAPI
	events chan Event
	reads  *atomic.Int32
}

func (a overtakingAPI) Events(ctx context.Context, _ time.Time) (<-chan Event, <-chan error) {
	return a.events, endedWith(ctx)
}

func (a overtakingAPI) List(ctx context.Context, kind containersv1.Kind) ([]Listed, error) {
	if kind == containersv1.KindContainer {
		return listedIDs("c1", "c2"), nil
	}
	return a.quietAPI.List(ctx, kind)
}

func (a overtakingAPI) Inspect(ctx context.Context, kind containersv1.Kind, id string) ([]containersv1.Mirror, error) {
	switch {
	case id == "c2":
		time.Sleep(5 * time.Second)
	case a.reads.Add(1) == 2:
		time.Sleep(3 * time.Second)
	case a.reads.Load() > 2:
		return nil, errors.New("internal server error")
	}
	return a.quietAPI.Inspect(ctx, kind, id)
}

// A reading that began before a full sync does not count for it: when the sync could
// not read the object, the object is unread, and not gone.
func TestOvertakenReadingLeavesObjectUnread(t *testing.T) {
	a := overtakingAPI{reads: &atomic.Int32{}}
	watch(t, func() API {
		a.events = make(chan Event)
		return a
	}, nil, func(t *testing.T, r *recorder) {
		time.Sleep(14 * time.Second) // the second full sync begins at 15 s
		a.events <- event(containersv1.KindContainer, "c1", "start")
		time.Sleep(7 * time.Second)
		last, n := r.synced()
		if n != 2 {
			t.Fatalf("%d full syncs, want 2", n)
		}
		if len(last.Unread) != 1 || last.Unread[0] != (engine.Key{Kind: containersv1.KindContainer, ID: "c1"}) {
			t.Errorf("unread %v, want c1", last.Unread)
		}
	})
}
