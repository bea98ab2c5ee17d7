package mirror

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/record"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// slowWriter answers each write when the test sends an answer. While it is away,
// every write fails.
type slowWriter struct {
	Writer
	calls  chan string
	answer chan error
	away   *bool
	// stored is the resource in the API server; nil when there is none.
	stored *containersv1.Container
}

func (w *slowWriter) Get(_ context.Context, _ containersv1.Kind, _, name string) (containersv1.Mirror, error) {
	if w.stored == nil {
		return nil, apierrors.NewNotFound(schema.GroupResource{Resource: "containers"}, name)
	}
	return w.stored.CopyMirror(), nil
}

func (w *slowWriter) do(call string) (containersv1.Mirror, error) {
	if *w.away {
		return nil, errors.New("the API server is away")
	}
	w.calls <- call
	return nil, <-w.answer
}
func (w *slowWriter) Create(context.Context, containersv1.Mirror) (containersv1.Mirror, error) {
	return w.do("create")
}
func (w *slowWriter) UpdateStatus(context.Context, containersv1.Mirror) (containersv1.Mirror, error) {
	return w.do("status")
}
func (w *slowWriter) CompleteAction(context.Context, containersv1.Mirror) (containersv1.Mirror, error) {
	return w.do("complete action")
}
func (w *slowWriter) Claim(context.Context, containersv1.Mirror) (containersv1.Mirror, error) {
	return w.do("finalizer")
}

// Remove leaves the finalizer of another controller.
func (w *slowWriter) Remove(_ context.Context, obj containersv1.Mirror) (containersv1.Mirror, error) {
	_, err := w.do("remove")
	left := obj.CopyMirror()
	left.SetFinalizers([]string{"example.com/theirs"})
	return left, err
}

// scriptedEngine records removals, and answers them with the error.
type scriptedEngine struct {
	engine.Engine
	removals *[]time.Time
	err      *error
}

func (e scriptedEngine) Do(context.Context, engine.Key, engine.Verb) error {
	*e.removals = append(*e.removals, time.Now())
	return *e.err
}

func (e scriptedEngine) Get(context.Context, engine.Key) (containersv1.Mirror, error) {
	return engineContainer(containersv1.ContainerRunning), nil
}

// stage runs one mirror below a parent that keeps the messages that it receives.
type stage struct {
	system   *actor.ActorSystem
	mirror   *actor.PID
	received []any
	writer   *slowWriter
	events   *record.FakeRecorder
	removals []time.Time
	refusal  error
}

func newStage(t *testing.T) *stage {
	s := &stage{writer: &slowWriter{calls: make(chan string, 1), answer: make(chan error, 1), away: new(bool)}}
	return s.start(t, s.writer, scriptedEngine{removals: &s.removals, err: &s.refusal})
}

// stageWith returns a stage with another API server and engine.
func stageWith(t *testing.T, writer Writer, e engine.Engine) *stage {
	return (&stage{}).start(t, writer, e)
}

func (s *stage) start(t *testing.T, writer Writer, e engine.Engine) *stage {
	s.system = actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger {
		return slog.New(slog.DiscardHandler)
	}))
	s.events = record.NewFakeRecorder(1000)
	cfg := Config{
		Kind: containersv1.KindContainer, Name: "c1", Namespace: "ns",
		Kube: writer, Engine: e, Events: s.events,
		Logger: slog.New(slog.DiscardHandler), Report: func(string) {},
	}
	parent := s.system.Root.Spawn(actor.PropsFromFunc(func(c actor.Context) {
		switch c.Message().(type) {
		case *actor.Started:
			s.mirror = c.Spawn(actor.PropsFromProducer(func() actor.Actor { return New(cfg) }))
		case *actor.Stopping, *actor.Stopped, *actor.Terminated:
		default:
			s.received = append(s.received, c.Message())
		}
	}))
	synctest.Wait()
	t.Cleanup(func() {
		if err := s.system.Root.StopFuture(parent).Wait(); err != nil {
			t.Error(err)
		}
		s.system.Shutdown()
	})
	return s
}

func (s *stage) send(msg any) {
	s.system.Root.Send(s.mirror, msg)
	synctest.Wait()
}

func (s *stage) finished() bool {
	return slices.ContainsFunc(s.received, func(m any) bool { _, ok := m.(messages.MirrorFinished); return ok })
}

func withUID(c *containersv1.Container, uid, version string) *containersv1.Container {
	c.UID, c.ResourceVersion = types.UID(uid), version
	return c
}

func TestLateAnswerKeepsResourceRemoved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		gone := time.Now()
		s.send(messages.MirrorChanged{Object: withUID(resource(terminating), "u1", "5")})
		s.send(messages.ObjectGone{Kind: containersv1.KindContainer, Name: "c1", AsOf: gone})
		if call := <-s.writer.calls; call != "remove" {
			t.Fatalf("the mirror wrote %q, want the removal of the resource", call)
		}
		s.send(messages.MirrorRemoved{Kind: containersv1.KindContainer, Name: "c1", UID: "u1"})
		s.writer.answer <- nil
		synctest.Wait()
		if !s.finished() {
			t.Errorf("the mirror does not finish; it sent %+v", s.received)
		}
	})
}

func TestRefusedDeleteRetriedWithBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		s.refusal = errors.New("in use")
		*s.writer.away = true // the condition cannot be written, which must not end the retries
		s.writer.stored = withUID(resource(terminating), "u1", "5")
		s.send(messages.MirrorChanged{Object: s.writer.stored})
		s.send(messages.ObjectSeen{Object: engineContainer(containersv1.ContainerRunning), AsOf: time.Now()})
		time.Sleep(time.Hour)
		synctest.Wait()
		n := len(s.removals)
		if n < 12 || n > 33 { // with the shortest pauses: 9 in 255 s, then one in 150 s
			t.Errorf("%d attempts in an hour, want pauses that grow to 5 minutes", n)
		}
		if last := s.removals[n-1].Sub(s.removals[n-2]); last < 150*time.Second || last > 6*time.Minute {
			t.Errorf("the last pause was %v, want half of the ceiling of 5 minutes at least", last)
		}
		s.send(messages.RetryNow{})
		if len(s.removals) != n+1 {
			t.Error("RetryNow did not lead to an attempt")
		}
	})
}

func TestMirrorWithNothingLeftFinishes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		s.send(messages.EngineGone{})
		if !s.finished() {
			t.Errorf("the mirror does not finish; it sent %+v", s.received)
		}
	})
}

func TestRecreatedResourceIsApplied(t *testing.T) {
	m := &mirror{view: view{kind: containersv1.KindContainer, applied: 7}}
	m.changed(withUID(resource(wants(containersv1.StateRunning)), "u2", "3"))
	if !hasPendingState(m.view) {
		t.Error("the desired state of a recreated resource counts as applied")
	}
}

func TestStaleReadingIsAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		old := time.Now()
		time.Sleep(time.Second)
		s.send(messages.MirrorChanged{Object: withUID(resource(), "u1", "5")})
		s.send(messages.ObjectSeen{Object: engineContainer(containersv1.ContainerRunning), AsOf: time.Now()})
		n := len(s.received)
		s.send(messages.ObjectSeen{Object: engineContainer(containersv1.ContainerPaused), AsOf: old})
		if len(s.received) != n+1 {
			t.Errorf("a stale reading got %d answers, want 1", len(s.received)-n)
		}
	})
}

func TestOlderResourceVersionIgnored(t *testing.T) {
	m := &mirror{view: view{kind: containersv1.KindContainer}}
	newer := withUID(resource(), "u1", "10")
	m.changed(newer)
	m.changed(withUID(resource(), "u1", "9"))
	if m.view.resource != containersv1.Mirror(newer) {
		t.Error("an older version replaced a newer one")
	}
	again := withUID(resource(), "u2", "12")
	again.CreationTimestamp = metav1.Now()
	m.changed(again)
	if m.view.resource != containersv1.Mirror(again) {
		t.Error("a recreated resource was treated as an older version")
	}
}

// A change of a removed resource can arrive after its removal was reported in another
// way, when its name has another resource or none.
func TestFormerResourceIgnored(t *testing.T) {
	m := &mirror{view: view{kind: containersv1.KindContainer}}
	next := withUID(resource(), "u2", "10")
	m.changed(next)
	m.changed(withUID(resource(terminating), "u1", "8"))
	if m.view.resource != containersv1.Mirror(next) {
		t.Error("a former resource replaced the next one")
	}
	m.apply(outcome{op: deleteResource, resourceGone: true, uid: "u2"})
	m.changed(withUID(resource(terminating), "u1", "9"))
	if m.view.resource != nil {
		t.Error("a removed resource was restored")
	}
}

// A new mirror does not know what was removed. A late event must not make it remove,
// start or stop the engine's object.
func TestReplacedResourceMakesNoEngineCall(t *testing.T) {
	next := withUID(resource(), "u2", "9")
	withdrawn := withUID(resource(wants(containersv1.StateUnknown)), "u1", "9")
	withdrawn.Generation++
	for name, tc := range map[string]struct {
		late, stored *containersv1.Container
	}{
		"deletion of a removed resource":          {withUID(resource(terminating), "u1", "5"), nil},
		"deletion of a former resource":           {withUID(resource(terminating), "u1", "5"), next},
		"desired state of a former resource":      {withUID(resource(wants(containersv1.StateRunning)), "u1", "5"), next},
		"withdrawn desired state":                 {withUID(resource(wants(containersv1.StateRunning)), "u1", "5"), withdrawn},
		"deletion after removal of the finalizer": {withUID(resource(terminating), "u1", "5"), withUID(resource(terminating, stripped), "u1", "6")},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStage(t)
				s.writer.stored = tc.stored
				*s.writer.away = tc.stored != nil
				s.send(messages.MirrorChanged{Object: tc.late})
				// scriptedEngine panics on every call but a removal.
				s.send(messages.ObjectSeen{Object: engineContainer(containersv1.ContainerRunning), AsOf: time.Now()})
				if n := len(s.removals); n != 0 {
					t.Errorf("the engine's object was removed %d times", n)
				}
				if tc.stored != nil {
					return
				}
				if call := <-s.writer.calls; call != "create" {
					t.Errorf("the mirror wrote %q, want a new resource for the existing object", call)
				}
				*s.writer.away = true // it would retry for ever
				s.writer.answer <- nil
				synctest.Wait()
			})
		})
	}
}

// The stored resource is newer, but requests the same.
func TestDeleteOfOlderVersionIsApplied(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		s.refusal = errors.New("in use")
		*s.writer.away = true
		s.writer.stored = withUID(resource(terminating), "u1", "7")
		s.send(messages.MirrorChanged{Object: withUID(resource(terminating), "u1", "5")})
		s.send(messages.ObjectSeen{Object: engineContainer(containersv1.ContainerRunning), AsOf: time.Now()})
		if len(s.removals) != 1 {
			t.Errorf("%d removals, want 1", len(s.removals))
		}
	})
}

// conflictingWriter fails the removal of a stale version with a conflict.
type conflictingWriter struct {
	Writer
	fresh    *containersv1.Container
	removals *[]string
}

func (w conflictingWriter) Remove(_ context.Context, obj containersv1.Mirror) (containersv1.Mirror, error) {
	*w.removals = append(*w.removals, obj.GetResourceVersion())
	if obj.GetResourceVersion() != w.fresh.ResourceVersion {
		return nil, apierrors.NewConflict(schema.GroupResource{Resource: "containers"}, obj.GetName(), errors.New("stale"))
	}
	return nil, nil
}

func (w conflictingWriter) Get(context.Context, containersv1.Kind, string, string) (containersv1.Mirror, error) {
	return w.fresh.CopyMirror(), nil
}

// Row I8.
func TestRemoveConflictRetriedOnFreshData(t *testing.T) {
	var removals []string
	stale := withUID(resource(terminating), "u1", "5")
	w := conflictingWriter{fresh: withUID(resource(terminating), "u1", "9"), removals: &removals}
	cfg := Config{Kind: containersv1.KindContainer, Name: "c1", Namespace: "ns", Kube: w}
	m := &mirror{Config: cfg, view: view{kind: containersv1.KindContainer, engine: absent, resource: stale}}

	out := cfg.operate(t.Context(), deleteResource, m.view)
	if out.err != nil || out.resourceGone {
		t.Fatalf("the conflict has the outcome %+v, want the fresh resource", out)
	}
	m.apply(out)
	if got := decide(m.view).write; got != deleteResource {
		t.Fatalf("after the conflict the mirror does %q, want %q again", got, deleteResource)
	}
	if out = cfg.operate(t.Context(), deleteResource, m.view); out.err != nil || !out.resourceGone {
		t.Fatalf("the second attempt has the outcome %+v, want the resource to be gone", out)
	}
	if !slices.Equal(removals, []string{"5", "9"}) {
		t.Errorf("removals of versions %v, want the stale one and then the fresh one", removals)
	}
}
