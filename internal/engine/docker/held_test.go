package docker

import (
	"context"
	"testing"
	"time"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
)

// slowStore is a store that needs time for a list of images and for an inspection.
type slowStore struct {
	store
	list, inspection time.Duration
	// listed is called after each list was made up.
	listed func()
}

func (e slowStore) List(ctx context.Context, kind containersv1.Kind) ([]Listed, error) {
	objects, err := e.store.List(ctx, kind)
	if kind == containersv1.KindImage {
		e.listed()
		select {
		case <-time.After(e.list):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return objects, err
}

func (e slowStore) Inspect(ctx context.Context, kind containersv1.Kind, id string) ([]containersv1.Mirror, error) {
	mirrors, err := e.store.Inspect(ctx, kind, id)
	time.Sleep(e.inspection)
	return mirrors, err
}

func isObject(ev engine.Event, key engine.Key) bool {
	object, ok := ev.(engine.Object)
	return ok && engine.KeyOf(object.Mirror) == key
}

// Row F5: a full sync lists an image with a tag, and inspects it without one. The engine
// hides it, because another image is built on it.
func TestImageUntaggedDuringSyncIsHidden(t *testing.T) {
	s := &stored{images: map[string]storedImage{"base": {tags: []string{"x:1"}}, "child": {parent: "base"}}}
	untag := func() { s.change(func() { s.images["base"] = storedImage{} }) }
	watch(t, func() API {
		return slowStore{store: store{stored: s}, listed: untag}
	}, nil, func(t *testing.T, r *recorder) {
		time.Sleep(5 * time.Second)
		untagged := engine.Key{Kind: containersv1.KindImage, ID: "base"}
		if r.index(func(ev engine.Event) bool { return isObject(ev, untagged) }) >= 0 {
			t.Error("the hidden image was reported")
		}
		if _, n := r.synced(); n == 0 {
			t.Error("no sync was completed")
		}
	})
}

// Row E3: an event has an untagged image read while a full sync lists it. The sync is
// completed after the image was reported.
func TestSyncWaitsForListOfHeldImages(t *testing.T) {
	s := &stored{images: map[string]storedImage{"base": {}}}
	watch(t, func() API {
		s.events = make(chan Event, 1)
		return slowStore{store: store{stored: s}, list: 5 * time.Millisecond, inspection: time.Millisecond, listed: func() {}}
	}, nil, func(t *testing.T, r *recorder) {
		time.Sleep(2 * time.Millisecond)
		s.events <- event(containersv1.KindImage, "base", "import")
		time.Sleep(5 * time.Second)
		reported := r.index(func(ev engine.Event) bool {
			return isObject(ev, engine.Key{Kind: containersv1.KindImage, ID: "base"})
		})
		synced := r.index(func(ev engine.Event) bool { _, ok := ev.(engine.Synced); return ok })
		if reported < 0 || synced < reported {
			t.Errorf("event %d reports the image and event %d the end of the sync", reported, synced)
		}
	})
}

// Row F5: an image loses its last tag to another one, and is read before the event of that
// arrives. The last list had it with a tag, which does not show that the engine shows it
// without one: it is hidden, because another image is built on it.
func TestImageUntaggedBeforeItsEventIsHidden(t *testing.T) {
	s := &stored{images: map[string]storedImage{"base": {tags: []string{"x:1"}}, "child": {parent: "base"}}}
	withStore(t, s, func(t *testing.T, r *recorder) {
		s.events <- buildStep()
		time.Sleep(2 * maxListPause)
		s.change(func() {
			s.images["base"] = storedImage{}
			s.images["other"] = storedImage{tags: []string{"x:1"}}
		})
		time.Sleep(time.Minute)
		if !r.has(engine.Key{Kind: containersv1.KindImage, ID: "other", Tag: "x:1"}) {
			t.Error("the full sync did not show the tag that has moved")
		}
		if r.index(func(ev engine.Event) bool { return isObject(ev, engine.Key{Kind: containersv1.KindImage, ID: "base"}) }) >= 0 {
			t.Error("the hidden image was reported")
		}
	})
}

// An image whose tag has moved to another one is read again at once. An event that names no
// tag has the images listed too, but a list may take long.
func TestImageThatLostItsTagDoesNotWaitForList(t *testing.T) {
	const slow = 10 * time.Second
	s := &stored{images: map[string]storedImage{"base": {tags: []string{"x:1"}}}}
	watch(t, func() API {
		s.events = make(chan Event, 1)
		return slowStore{store: store{stored: s}, list: slow, listed: func() {}}
	}, nil, func(t *testing.T, r *recorder) {
		time.Sleep(slow + time.Second)
		haveImages(t, r, "at first", "base x:1")
		s.change(func() {
			s.images["base"] = storedImage{}
			s.images["other"] = storedImage{tags: []string{"x:1"}}
		})
		s.events <- event(containersv1.KindImage, "other", "import")
		haveImages(t, r, "during the list", "other x:1")
	})
}
