package mirror

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/rancher-sandbox/rancher-desktop-daemon/actors/task"
	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/async"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
)

// The daemon's log shows each request that the engine applied.
func TestAppliedRequestIsLogged(t *testing.T) {
	for want, test := range map[string]struct {
		op       operation
		resource *containersv1.Container
	}{
		`operation="apply desired state" state=running`: {applyDesiredState, resource(wants(containersv1.StateRunning))},
		`operation="remove from engine"`:                {removeObject, resource(terminating)},
	} {
		var log strings.Builder
		m := New(Config{
			Kind: containersv1.KindContainer, Name: "c1", Logger: slog.New(slog.NewTextHandler(&log, nil)),
		}).(*mirror)
		m.view.resource = withUID(test.resource, "u1", "5")
		m.apply(outcome{op: test.op, uid: "u1", generation: m.view.resource.GetGeneration()})
		if got := log.String(); !strings.Contains(got, "kind=Container mirror=c1 "+want) {
			t.Errorf("the log of %v is %q, want %q", test.op, got, want)
		}
	}
}

// The end of a pause can be in the mailbox already when the pause is reset.
func TestFormerPauseEndsNoLaterOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		queued := make(chan retryDue, 1)
		tasks := &task.Runner{Runner: async.NewRunner(context.Background(), func(r async.Result) { queued <- r.Value.(retryDue) })}
		r := &retry{backoff: async.Backoff{Min: time.Second, Max: time.Minute}}
		r.later(tasks, removeObject)
		former := <-queued
		r.reset()
		r.later(tasks, removeObject)
		r.ended(former.pause)
		if r.waits == nothing {
			t.Error("the end of a former pause ended this one")
		}
		last := <-queued
		if r.ended(last.pause); r.waits != nothing {
			t.Error("the pause did not end")
		}
	})
}

// forgetfulWriter has no resource any more.
type forgetfulWriter struct{ Writer }

func (forgetfulWriter) notFound() (containersv1.Mirror, error) {
	return nil, apierrors.NewNotFound(schema.GroupResource{Resource: "containers"}, "c1")
}

func (w forgetfulWriter) Get(context.Context, containersv1.Kind, string, string) (containersv1.Mirror, error) {
	return w.notFound()
}

func (w forgetfulWriter) UpdateStatus(context.Context, containersv1.Mirror) (containersv1.Mirror, error) {
	return w.notFound()
}

// Informers do not report a resource that is created and removed while their watch is
// broken. Its mirror must notice the removal by a write.
func TestWriteOfRemovedResourceNeedsNoEvent(t *testing.T) {
	cfg := Config{Kind: containersv1.KindContainer, Name: "c1", Namespace: "ns", Kube: forgetfulWriter{}}
	m := &mirror{Config: cfg, view: view{
		kind: containersv1.KindContainer, engine: present, object: engineContainer(containersv1.ContainerPaused), resource: withUID(resource(), "u1", "5"),
	}}
	op := decide(m.view).write
	out := cfg.operate(t.Context(), op, m.view)
	if op != writeStatus || out.err != nil {
		t.Fatalf("%q has the outcome %+v", op, out)
	}
	m.apply(out)
	if got := decide(m.view).write; got != create {
		t.Errorf("after the removal was noticed, the mirror does %q, want %q", got, create)
	}
}

// slowEngine takes a second for a removal.
type slowEngine struct{ engine.Engine }

func (slowEngine) Do(context.Context, engine.Key, engine.Verb) error {
	time.Sleep(time.Second)
	return nil
}

// A reading that began before the end of the removal may show the object.
func TestRemovalIsNewerThanReadingsDuringIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stored := resource(terminating)
		cfg := Config{Kind: containersv1.KindContainer, Name: "c1", Kube: &slowWriter{stored: stored}, Engine: slowEngine{}, Logger: slog.New(slog.DiscardHandler)}
		m := &mirror{Config: cfg, view: view{kind: cfg.Kind, engine: present, object: engineContainer(containersv1.ContainerRunning), resource: stored}}
		during := time.Now().Add(time.Second / 2)
		m.apply(cfg.operate(t.Context(), removeObject, m.view))
		m.seen(engineContainer(containersv1.ContainerRunning), during)
		if m.view.engine != absent {
			t.Error("a reading from before the end of the removal restored the object")
		}
	})
}

// A reading can arrive after a newer one.
func TestOlderReadingsIgnored(t *testing.T) {
	now := time.Now()
	m := &mirror{view: view{kind: containersv1.KindContainer}}
	m.seen(engineContainer(containersv1.ContainerPaused), now)
	m.seen(engineContainer(containersv1.ContainerRunning), now.Add(-time.Second))
	if status := m.view.object.(*containersv1.Container).Status.Status; status != containersv1.ContainerPaused {
		t.Errorf("an older reading replaced a newer one: %s", status)
	}
	m.gone(now.Add(-time.Second))
	if m.view.engine != present {
		t.Error("an older reading removed the object")
	}
}
