package docker

import (
	"context"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/containerd/errdefs"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
)

// store is an engine whose images, volumes and networks a test changes, with the events of
// its choice.
type store struct {
	quietAPI
	*stored
}

type stored struct {
	mu          sync.Mutex
	images      map[string]storedImage
	volumes     []string
	networks    []string
	events      chan Event
	inspections atomic.Int32
}

type storedImage struct {
	tags []string
	// parent of an image; one without tags that is a parent is not listed.
	parent string
}

func (s *stored) change(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

func (e store) Events(ctx context.Context, _ time.Time) (<-chan Event, <-chan error) {
	return e.events, endedWith(ctx)
}

func (e store) List(_ context.Context, kind containersv1.Kind) ([]Listed, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch kind {
	case containersv1.KindImage:
		return e.listedImages(), nil
	case containersv1.KindVolume:
		return listedVolumes(e.volumes...), nil
	case containersv1.KindNetwork:
		return listedIDs(e.networks...), nil
	default:
		return nil, nil
	}
}

func (s *stored) listedImages() (listed []Listed) {
	for id, image := range s.images {
		hasChild := false
		for _, other := range s.images {
			hasChild = hasChild || other.parent == id
		}
		if len(image.tags) > 0 || !hasChild {
			listed = append(listed, Listed{ID: id, Tags: image.tags})
		}
	}
	return listed
}

func (e store) Inspect(_ context.Context, kind containersv1.Kind, id string) ([]containersv1.Mirror, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	image, isImage := e.images[id]
	switch {
	case kind == containersv1.KindImage:
		e.inspections.Add(1)
		if isImage {
			return imagesOf(id, image.tags...), nil
		}
	case slices.Contains(e.networks, id):
		n := &containersv1.Network{}
		n.Name, n.Status.ID = containersv1.NetworkResourceName(id), id
		return []containersv1.Mirror{n}, nil
	}
	return nil, errdefs.ErrNotFound
}

// withStore runs a test with a watch of an engine, half a second after the sync.
func withStore(t *testing.T, s *stored, test func(*testing.T, *recorder)) {
	t.Helper()
	watch(t, func() API {
		s.events = make(chan Event, 16)
		return store{stored: s}
	}, nil, func(t *testing.T, r *recorder) {
		time.Sleep(500 * time.Millisecond)
		test(t, r)
	})
}

// haveImages checks which of these images are reported, a second after an event.
func haveImages(t *testing.T, r *recorder, when string, want ...string) {
	t.Helper()
	time.Sleep(time.Second)
	var got []string
	for _, ref := range []string{"base x:1", "base ", "child ", "other x:1"} {
		id, tag, _ := strings.Cut(ref, " ")
		if r.has(engine.Key{Kind: containersv1.KindImage, ID: id, Tag: tag}) {
			got = append(got, ref)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s: images %q, want %q", when, got, want)
	}
}

// Row F5: an image is shown and hidden without an event of its own.
func TestHiddenImagesAreMirrored(t *testing.T) {
	s := &stored{images: map[string]storedImage{"base": {tags: []string{"x:1"}}}}
	withStore(t, s, func(t *testing.T, r *recorder) {
		haveImages(t, r, "at first", "base x:1")

		s.change(func() { s.images["child"] = storedImage{parent: "base"} })
		s.events <- buildStep()
		haveImages(t, r, "after a build without a tag", "base x:1", "child ")

		s.change(func() {
			s.images["base"] = storedImage{}
			s.images["other"] = storedImage{tags: []string{"x:1"}}
		})
		s.events <- Event{Kind: containersv1.KindImage, ID: "other", Action: "tag", Tag: "x:1"}
		haveImages(t, r, "after its tag has moved the base is hidden", "child ", "other x:1")

		s.change(func() { delete(s.images, "child") })
		s.events <- event(containersv1.KindImage, "child", "delete")
		haveImages(t, r, "after its child was removed the base is shown", "base ", "other x:1")

		s.change(func() { delete(s.images, "base") })
		s.events <- event(containersv1.KindImage, "", "prune")
		haveImages(t, r, "after a prune", "other x:1")
	})
}

// Row F5: the prune of volumes names none of them.
func TestVolumePruneIsMirrored(t *testing.T) {
	s := &stored{volumes: []string{"kept", "pruned"}}
	withStore(t, s, func(t *testing.T, r *recorder) {
		s.change(func() { s.volumes = []string{"kept"} })
		s.events <- event(containersv1.KindVolume, "", "prune")
		time.Sleep(time.Second)
		kept, pruned := engine.Key{Kind: containersv1.KindVolume, ID: "kept"}, engine.Key{Kind: containersv1.KindVolume, ID: "pruned"}
		if !r.has(kept) || r.has(pruned) {
			t.Errorf("a second after the prune: %v", r.present)
		}
	})
}

// Row F5: the prune of networks names none of them.
func TestNetworkPruneIsMirrored(t *testing.T) {
	s := &stored{networks: []string{"kept", "pruned"}}
	withStore(t, s, func(t *testing.T, r *recorder) {
		kept, pruned := engine.Key{Kind: containersv1.KindNetwork, ID: "kept"}, engine.Key{Kind: containersv1.KindNetwork, ID: "pruned"}
		if !r.has(kept) || !r.has(pruned) {
			t.Errorf("before the prune: %v", r.present)
		}
		s.change(func() { s.networks = []string{"kept"} })
		s.events <- event(containersv1.KindNetwork, "", "prune")
		time.Sleep(time.Second)
		if !r.has(kept) || r.has(pruned) {
			t.Errorf("a second after the prune: %v", r.present)
		}
	})
}
