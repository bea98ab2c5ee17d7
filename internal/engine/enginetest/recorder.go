package enginetest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/testkit"
)

// recorder keeps what a watch reports, and follows the objects as a user of the watch
// does.
type recorder struct {
	scene *scene
	// ended gets what Watch returned.
	ended  chan error
	cancel context.CancelFunc

	mu     sync.Mutex // guards what follows
	events []engine.Event
	// objects are the last readings, also of objects that are gone.
	objects map[engine.Key]reading
	synced  bool
}

// reading is one reading of an object; mirror is nil when it is gone.
type reading struct {
	mirror containersv1.Mirror
	asOf   time.Time
}

// watch starts a watch, and returns when its full sync has ended.
func (s *scene) watch(known ...containersv1.Mirror) *recorder {
	s.Helper()
	r := s.startWatch(known...)
	testkit.EventuallyTrue(s, callTimeout, "the full sync", func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		return r.synced
	})
	return r
}

// startWatch starts a watch that ends with the test.
func (s *scene) startWatch(known ...containersv1.Mirror) *recorder {
	s.Helper()
	r := &recorder{scene: s, ended: make(chan error, 1), objects: map[engine.Key]reading{}}
	var ctx context.Context
	ctx, r.cancel = context.WithCancel(s.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.ended <- s.engine.Watch(ctx, known, r.sink)
	}()
	s.Cleanup(func() {
		r.cancel()
		<-done
	})
	return r
}

func (r *recorder) sink(event engine.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, event)
	switch v := event.(type) {
	case engine.Object:
		r.read(engine.KeyOf(v.Mirror), reading{v.Mirror, v.AsOf})
	case engine.Gone:
		r.read(v.Key, reading{nil, v.AsOf})
	case engine.Synced:
		r.synced = true
		maps.DeleteFunc(r.objects, func(key engine.Key, last reading) bool {
			return last.asOf.Before(v.AsOf) && !isUnread(key, v.Unread)
		})
	case engine.Connected, engine.Listed:
	}
}

// isUnread reports whether a full sync could not read an object.
func isUnread(key engine.Key, unread []engine.Key) bool {
	key.Tag = ""
	return slices.Contains(unread, key)
}

// read keeps the reading that began last.
func (r *recorder) read(key engine.Key, now reading) {
	if last, ok := r.objects[key]; !ok || !now.asOf.Before(last.asOf) {
		r.objects[key] = now
	}
}

// all returns the events so far.
func (r *recorder) all() []engine.Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.events)
}

// mirrors returns the mirrors of the objects that are present.
func (r *recorder) mirrors() (out []containersv1.Mirror) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, last := range r.objects {
		if last.mirror != nil {
			out = append(out, last.mirror)
		}
	}
	return out
}

// sees waits until the watch reports an object in a reading that began after the
// change, and meets reports that the object is as wanted.
func (r *recorder) sees(change time.Time, key engine.Key, meets func(containersv1.Mirror) bool) {
	r.scene.Helper()
	r.waitFor("a report of "+name(key), key, func(last reading) error {
		switch {
		case last.mirror == nil:
			return fmt.Errorf("%s is not reported", name(key))
		case !meets(last.mirror):
			return fmt.Errorf("%s is reported as %+v", name(key), last.mirror)
		case last.asOf.Before(change):
			return fmt.Errorf("the reading of %s began %s before the change", name(key), change.Sub(last.asOf))
		}
		return nil
	})
}

// seesGone waits until the watch reports, in a reading that began after the change,
// that an object is gone.
func (r *recorder) seesGone(change time.Time, key engine.Key) {
	r.scene.Helper()
	r.waitFor("a report that "+name(key)+" is gone", key, func(last reading) error {
		switch {
		case last.mirror != nil:
			return fmt.Errorf("%s is reported as %+v", name(key), last.mirror)
		case last.asOf.Before(change):
			return fmt.Errorf("%s is not reported gone since the change", name(key))
		}
		return nil
	})
}

func (r *recorder) waitFor(what string, key engine.Key, check func(reading) error) {
	r.scene.Helper()
	testkit.Eventually(r.scene, reportTimeout, what, func() error {
		r.mu.Lock()
		defer r.mu.Unlock()
		return check(r.objects[key])
	})
}

// result waits for the end of the watch and returns its error.
func (r *recorder) result() error {
	r.scene.Helper()
	select {
	case err := <-r.ended:
		return err
	case <-time.After(callTimeout):
		r.scene.Fatal("the watch does not end")
		return nil
	}
}

// name returns what messages call an object.
func name(key engine.Key) string { return fmt.Sprintf("%s %.20s %s", key.Kind, key.ID, key.Tag) }

// present is met by every reading of an object.
func present(containersv1.Mirror) bool { return true }

// isIn returns a condition that a container in a state meets.
func isIn(state containersv1.ContainerState) func(containersv1.Mirror) bool {
	return func(m containersv1.Mirror) bool { return m.(*containersv1.Container).Status.Status == state }
}
