package engine

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/containerd/errdefs"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine/docker"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// store is an engine whose images and volumes a test changes, with the events of
// its choice.
type store struct {
	quietEngine
	*stored
}

type stored struct {
	mu      sync.Mutex
	images  map[string]storedImage
	volumes []string
	events  chan docker.Event
	// mirrors that the session has sent, and not sent to be gone.
	mirrors map[string]bool
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

func (e store) Events(ctx context.Context, _ time.Time) (<-chan docker.Event, <-chan error) {
	return scripted{e.quietEngine, &script{events: e.events}}.Events(ctx, time.Time{})
}

func (e store) ListContainers(context.Context) ([]string, error) { return nil, nil }

func (e store) ListImages(context.Context) ([]docker.ListedImage, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	var listed []docker.ListedImage
	for id, image := range e.images {
		hidden := len(image.tags) == 0
		hasChild := false
		for _, other := range e.images {
			hasChild = hasChild || other.parent == id
		}
		if !hidden || !hasChild {
			listed = append(listed, docker.ListedImage{ID: id, Tags: image.tags})
		}
	}
	return listed, nil
}

func (e store) Images(_ context.Context, id string) ([]*containersv1.Image, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	image, there := e.images[id]
	if !there {
		return nil, errdefs.ErrNotFound
	}
	var images []*containersv1.Image
	for _, o := range imagesOf(id, image.tags...) {
		images = append(images, o.(*containersv1.Image))
	}
	return images, nil
}

func (e store) ListVolumes(context.Context) ([]*containersv1.Volume, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	var volumes []*containersv1.Volume
	for _, name := range e.volumes {
		v := &containersv1.Volume{}
		v.Name, v.Status.Name = containersv1.VolumeResourceName(name), name
		volumes = append(volumes, v)
	}
	return volumes, nil
}

// Receive is the parent of a session, and keeps what it sends.
func (e store) Receive(c actor.Context) {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch msg := c.Message().(type) {
	case *actor.Started:
		c.Spawn(actor.PropsFromProducer(func() actor.Actor {
			return newSession(sessionConfig{
				engine: e, logger: slog.New(slog.DiscardHandler), report: func(string) {}, settings: DefaultSettings(),
			})
		}))
	case messages.SessionConnected:
		c.Send(c.Sender(), messages.BeginSync{})
	case messages.ObjectSeen:
		e.mirrors[msg.Object.GetName()] = true
	case messages.ObjectGone:
		delete(e.mirrors, msg.Name)
	}
}

// withStore runs a test with a session on an engine, half a second after the sync.
func withStore(t *testing.T, s *stored, test func()) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s.events, s.mirrors = make(chan docker.Event, 16), map[string]bool{}
		system := actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger {
			return slog.New(slog.DiscardHandler)
		}))
		up := reachable(true)().(quietEngine)
		pid := system.Root.Spawn(actor.PropsFromProducer(func() actor.Actor { return store{up, s} }))
		t.Cleanup(func() {
			_ = system.Root.StopFuture(pid).Wait()
			system.Shutdown()
		})
		time.Sleep(500 * time.Millisecond)
		test()
	})
}

// have checks which of these images are mirrored, a second after an event.
func (s *stored) have(t *testing.T, what string, want ...string) {
	t.Helper()
	time.Sleep(time.Second)
	s.mu.Lock()
	defer s.mu.Unlock()
	var got []string
	for _, ref := range []string{"base x:1", "base ", "child ", "other x:1"} {
		id, tag, _ := strings.Cut(ref, " ")
		if s.mirrors[containersv1.ImageResourceName(id, tag)] {
			got = append(got, ref)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s: mirrored are %q, want %q", what, got, want)
	}
}

// Row F5: an image shows and hides without an event of its own.
func TestHiddenImagesAreMirrored(t *testing.T) {
	s := &stored{images: map[string]storedImage{"base": {tags: []string{"x:1"}}}}
	withStore(t, s, func() {
		s.have(t, "at first", "base x:1")

		s.change(func() { s.images["child"] = storedImage{parent: "base"} })
		s.events <- buildStep()
		s.have(t, "after a build without a tag", "base x:1", "child ")

		s.change(func() {
			s.images["base"] = storedImage{}
			s.images["other"] = storedImage{tags: []string{"x:1"}}
		})
		s.events <- docker.Event{Kind: containersv1.KindImage, ID: "other", Action: "tag", Tag: "x:1"}
		s.have(t, "after its tag has moved the base is hidden", "child ", "other x:1")

		s.change(func() { delete(s.images, "child") })
		s.events <- event(containersv1.KindImage, "child", "delete")
		s.have(t, "after its child was removed the base shows", "base ", "other x:1")

		s.change(func() { delete(s.images, "base") })
		s.events <- event(containersv1.KindImage, "", "prune")
		s.have(t, "after a prune", "other x:1")
	})
}

// Row F5: the prune of volumes names none of them.
func TestVolumePruneIsMirrored(t *testing.T) {
	s := &stored{volumes: []string{"kept", "pruned"}, events: make(chan docker.Event, 16), mirrors: map[string]bool{}}
	newMirror := func(spec MirrorSpec) actor.Actor {
		return actor.ReceiveFunc(func(c actor.Context) {
			s.mu.Lock()
			defer s.mu.Unlock()
			switch c.Message().(type) {
			case messages.ObjectSeen:
				s.mirrors[spec.Name] = true
			case messages.ObjectGone:
				delete(s.mirrors, spec.Name)
			}
		})
	}
	newEngine := func() docker.API { return store{reachable(true)().(quietEngine), s} }
	supervising(t, newEngine, newMirror, func(send func(any), _ *resources) {
		s.change(func() { s.events = make(chan docker.Event, 16) }) // of this bubble
		send(messages.ConnectEngine{Seq: 1, Endpoint: "unix:///sock", Namespace: "ns"})
		time.Sleep(500 * time.Millisecond)
		s.change(func() { s.volumes = []string{"kept"} })
		s.events <- event(containersv1.KindVolume, "", "prune")
		time.Sleep(time.Second)
		s.change(func() {
			if !s.mirrors[containersv1.VolumeResourceName("kept")] || s.mirrors[containersv1.VolumeResourceName("pruned")] ||
				!s.mirrors[containersv1.MobyNamespace] {
				t.Errorf("a second after the prune there are %v", s.mirrors)
			}
		})
	})
}
