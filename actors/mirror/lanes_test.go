package mirror

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// memory is an API server with one container, or none.
type memory struct {
	slowWriter
	mu      sync.Mutex // guards the rest
	stored  *containersv1.Container
	version int
	created int
	failing bool
}

func (w *memory) put(c *containersv1.Container) containersv1.Mirror {
	w.version++
	c.ResourceVersion = strconv.Itoa(w.version)
	w.stored = c
	return c.DeepCopy()
}

func (w *memory) has() *containersv1.Container {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.stored.DeepCopy()
}

func (w *memory) Get(ctx context.Context, kind containersv1.Kind, namespace, name string) (containersv1.Mirror, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return (&slowWriter{stored: w.stored}).Get(ctx, kind, namespace, name)
}

func (w *memory) Create(_ context.Context, obj containersv1.Mirror) (containersv1.Mirror, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.created++
	c := obj.CopyMirror().(*containersv1.Container)
	c.UID, c.ManagedFields = "created", ownFields()
	return w.put(c), nil
}

func (w *memory) UpdateStatus(_ context.Context, obj containersv1.Mirror) (containersv1.Mirror, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.check(obj); err != nil {
		return nil, err
	}
	c := w.stored.DeepCopy()
	c.SetStatusFrom(obj)
	return w.put(c), nil
}

func (w *memory) CompleteAction(_ context.Context, obj containersv1.Mirror) (containersv1.Mirror, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.check(obj); err != nil {
		return nil, err
	}
	c := w.stored.DeepCopy()
	c.SetStatusFrom(obj)
	delete(c.Annotations, containersv1.ActionAnnotation)
	return w.put(c), nil
}

// check returns a conflict unless obj is the latest version.
func (w *memory) check(obj containersv1.Mirror) error {
	if w.stored.ResourceVersion != obj.GetResourceVersion() {
		return apierrors.NewConflict(schema.GroupResource{Resource: "containers"}, obj.GetName(), errors.New("it has changed"))
	}
	return nil
}

// fail makes removals fail, or ends that.
func (w *memory) fail(failing bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.failing = failing
}

func (w *memory) Remove(context.Context, containersv1.Mirror) (containersv1.Mirror, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.failing {
		return nil, errors.New("the API server is away")
	}
	w.stored = nil
	return nil, nil
}

// busyEngine ends a stop when the test closes stopped.
type busyEngine struct {
	engine.Engine
	mu      sync.Mutex // guards calls
	calls   []string
	stopped chan struct{}
	// at is when the container was started.
	at metav1.MicroTime
}

func (e *busyEngine) note(call string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.calls = append(e.calls, call)
}

func (e *busyEngine) made() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.calls)
}

func (e *busyEngine) Do(ctx context.Context, _ engine.Key, verb engine.Verb) error {
	e.note(string(verb))
	if verb != engine.VerbStop {
		return nil
	}
	select {
	case <-e.stopped:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (e *busyEngine) Get(context.Context, engine.Key) (containersv1.Mirror, error) {
	c := engineContainer(containersv1.ContainerExited)
	if !e.at.IsZero() {
		c.Status.StartedAt = &e.at
	}
	return c, nil
}

// stopping returns a mirror whose stop is in flight.
func stopping(t *testing.T) (*stage, *memory, *busyEngine) {
	w, e := &memory{version: 10}, &busyEngine{stopped: make(chan struct{})}
	s := stageWith(t, w, e)
	s.store(w, withUID(resource(wants(containersv1.StateCreated)), "u1", ""))
	s.send(messages.ObjectSeen{Object: engineContainer(containersv1.ContainerRunning), AsOf: time.Now()})
	if made := e.made(); !slices.Equal(made, []string{"stop"}) {
		t.Fatalf("the engine was called for %q, want one stop", made)
	}
	return s, w, e
}

// store puts a resource into the API server, and sends it to the mirror.
func (s *stage) store(w *memory, c *containersv1.Container) {
	w.mu.Lock()
	stored := w.put(c)
	w.mu.Unlock()
	s.send(messages.MirrorChanged{Object: stored})
}

func TestStopInFlightShowsChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, w, e := stopping(t)
		renamed := engineContainer(containersv1.ContainerPaused)
		renamed.Status.Name = "renamed"
		time.Sleep(time.Second)
		s.send(messages.ObjectSeen{Object: renamed, AsOf: time.Now()})
		if got := w.has().Status; got.Name != "renamed" || got.Status != containersv1.ContainerPaused || got.ObservedGeneration != 1 {
			t.Errorf("during the stop the status is %+v", got)
		}
		close(e.stopped)
		synctest.Wait()
		if got := w.has().Status; got.Status != containersv1.ContainerExited || got.ObservedGeneration != 2 {
			t.Errorf("after the stop the status is %+v", got)
		}
		if made := e.made(); !slices.Equal(made, []string{"stop"}) {
			t.Errorf("the engine was called for %q, want one stop", made)
		}
	})
}

func TestDeleteDuringStopRemovesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, w, e := stopping(t)
		deleted := w.has()
		terminating(deleted)
		began := time.Now()
		s.store(w, deleted)
		if made := e.made(); !slices.Equal(made, []string{"stop", "remove"}) || time.Since(began) > 0 {
			t.Errorf("%q after %v, want the removal at once", made, time.Since(began))
		}
		if w.has() != nil {
			t.Error("the resource is still there")
		}
	})
}

func TestSpecChangedDuringStopFollowsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, w, e := stopping(t)
		changed := w.has()
		wants(containersv1.StateRunning)(changed)
		s.store(w, changed)
		if made := e.made(); len(made) != 1 || w.has().Status.ObservedGeneration != 1 {
			t.Errorf("during the stop: %q, generation %d observed", made, w.has().Status.ObservedGeneration)
		}
		close(e.stopped)
		synctest.Wait()
		if made := e.made(); !slices.Equal(made, []string{"stop", "start"}) || w.has().Status.ObservedGeneration != 3 {
			t.Errorf("after the stop: %q, generation %d observed", made, w.has().Status.ObservedGeneration)
		}
	})
}

// The end of an engine waits for the removal of each of its mirrors.
func TestEngineGoneEndsPauseOfWrites(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &memory{version: 10, failing: true}
		s := stageWith(t, w, &busyEngine{})
		s.store(w, withUID(resource(), "u1", ""))
		s.send(messages.ObjectGone{Kind: containersv1.KindContainer, Name: "c1", AsOf: time.Now()})
		time.Sleep(time.Hour)
		synctest.Wait()
		w.fail(false)
		s.send(messages.EngineGone{})
		if w.has() != nil {
			t.Error("the removal of the resource waits for the pause of a failed one")
		}
	})
}

// The name of a deleted object is reused before its resource was removed.
func TestDeleteSparesNextObject(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, e := &memory{version: 10, failing: true}, &busyEngine{}
		s := stageWith(t, w, e)
		s.store(w, withUID(resource(terminating), "u1", ""))
		s.send(messages.ObjectGone{Kind: containersv1.KindContainer, Name: "c1", AsOf: time.Now()})
		time.Sleep(time.Millisecond)
		s.send(messages.ObjectSeen{Object: engineContainer(containersv1.ContainerRunning), AsOf: time.Now()})
		w.fail(false)
		time.Sleep(time.Minute)
		synctest.Wait()
		if made := e.made(); len(made) != 0 {
			t.Errorf("the engine was called for %q", made)
		}
		if w.created != 1 || w.has() == nil || w.has().UID != "created" {
			t.Errorf("%d resources were created for the next object; the API server has %+v", w.created, w.has())
		}
	})
}

// A resource that the finalizer of another controller holds mirrors the next object of
// its name. After its removal the object gets a new resource.
func TestHeldMirrorFollowsNextObject(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, e := &memory{version: 10}, &busyEngine{}
		s := stageWith(t, w, e)
		s.store(w, withUID(resource(heldByOther), "u1", ""))
		next := engineContainer(containersv1.ContainerPaused)
		s.send(messages.ObjectSeen{Object: next, AsOf: time.Now()})
		if got := w.has().Status; got.Status != containersv1.ContainerPaused {
			t.Errorf("the held resource shows %+v", got)
		}
		w.mu.Lock()
		w.stored = nil
		w.mu.Unlock()
		s.send(messages.MirrorRemoved{Kind: containersv1.KindContainer, Name: "c1", UID: "u1"})
		if w.created != 1 || len(e.made()) != 0 {
			t.Errorf("%d new resources, and the engine was called for %q", w.created, e.made())
		}
	})
}

func TestMarkFailedNamesCauseOnce(t *testing.T) {
	w := &memory{}
	w.put(resource())
	for range 2 {
		err := MarkFailed(t.Context(), w, containersv1.KindContainer, "ns", "c1", errors.New("boom\nstack"))
		if err != nil {
			t.Fatal(err)
		}
	}
	c := w.has().Status.Conditions
	if w.version != 2 || len(c) != 1 || c[0].Type != containersv1.ConditionMirrored || !strings.HasSuffix(c[0].Message, ": boom") {
		t.Errorf("%d writes, conditions %+v", w.version-1, c)
	}
}

// deafEngine cannot be reached by requests.
type deafEngine struct{ engine.Engine }

func (deafEngine) Do(context.Context, engine.Key, engine.Verb) error { return engine.ErrUnreachable }

func (deafEngine) Get(context.Context, engine.Key) (containersv1.Mirror, error) {
	return nil, engine.ErrUnreachable
}

// lastSettled returns the last report to the engine supervisor.
func (s *stage) lastSettled(t *testing.T) messages.MirrorSettled {
	for _, m := range slices.Backward(s.received) {
		if settled, ok := m.(messages.MirrorSettled); ok {
			return settled
		}
	}
	t.Fatalf("the mirror has not settled; it sent %+v", s.received)
	return messages.MirrorSettled{}
}

func TestWithdrawnRequestClearsFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &memory{version: 10}
		s := stageWith(t, w, deafEngine{})
		s.store(w, withUID(resource(wants(containersv1.StateRunning)), "u1", ""))
		s.send(messages.ObjectSeen{Object: engineContainer(containersv1.ContainerExited), AsOf: time.Now()})
		if got := s.lastSettled(t); !engine.IsUnreachable(got.Err) {
			t.Fatalf("settled with %v, want the failed start", got.Err)
		}
		withdrawn := w.has()
		wants(containersv1.StateUnknown)(withdrawn)
		s.store(w, withdrawn)
		if got := s.lastSettled(t); got.Err != nil {
			t.Errorf("settled with %v although the start was withdrawn", got.Err)
		}
	})
}
