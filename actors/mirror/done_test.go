package mirror

import (
	"context"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
)

// ledger is a Ledger in memory.
type ledger struct{ requests map[string]string }

func (l *ledger) Find(uid types.UID, request string) (string, bool) {
	outcome, ok := l.requests[string(uid)+" "+request]
	return outcome, ok
}

func (l *ledger) Add(uid types.UID, request, outcome string) error {
	l.requests[string(uid)+" "+request] = outcome
	return nil
}

// requested returns a container whose desired state was set at a time, in seconds.
func requested(generation, at int64) *containersv1.Container {
	c := &containersv1.Container{}
	c.Generation = generation
	when := metav1.NewTime(time.Unix(at, 0))
	c.ManagedFields = []metav1.ManagedFieldsEntry{{
		Manager: "kubectl", Operation: metav1.ManagedFieldsOperationUpdate, Time: &when,
		FieldsV1: metav1.NewFieldsV1(`{"f:spec":{"f:state":{}}}`),
	}}
	return c
}

func TestRequestOf(t *testing.T) {
	first := requestOf(applyDesiredState, requested(2, 100))
	if first == "" || first != requestOf(applyDesiredState, requested(2, 100)) {
		t.Errorf("the same request is %q and %q", first, requestOf(applyDesiredState, requested(2, 100)))
	}
	for name, other := range map[string]*containersv1.Container{
		"a later generation": requested(3, 100), "the same generation after the return of a backup": requested(2, 101),
	} {
		if requestOf(applyDesiredState, other) == first {
			t.Errorf("%s is the same request", name)
		}
	}
	unknown := requested(2, 100)
	unknown.ManagedFields = nil
	if got := requestOf(applyDesiredState, unknown) + annotationOf(unknown); got != "" {
		t.Errorf("a request without an identity is %q", got)
	}
}

func TestRequestIsDoneOnce(t *testing.T) {
	l := &ledger{requests: map[string]string{}}
	cfg := Config{Ledger: l}
	out := outcome{op: applyDesiredState, uid: "uid", request: "state 2 at"}
	for name, failed := range map[string]outcome{
		"refused": with(out, func(o *outcome) { o.refused = errDeleted }), "failed": with(out, func(o *outcome) { o.err = errDeleted }),
		"outdated": with(out, func(o *outcome) { o.outdated = true }), "unknown": with(out, func(o *outcome) { o.request = "" }),
	} {
		cfg.recordDone(failed)
		if len(l.requests) != 0 || cfg.wasDone(view{}, &failed) {
			t.Errorf("a request that was %s is recorded", name)
		}
	}
	if cfg.wasDone(view{}, &out) {
		t.Error("it was done before")
	}
	cfg.recordDone(out)
	if !cfg.wasDone(view{}, &out) || !out.wasDone || len(l.requests) != 1 {
		t.Errorf("recorded %v", l.requests)
	}
	if (Config{}).wasDone(view{}, &out) {
		t.Error("without a ledger, a request was done")
	}
}

func with(out outcome, change func(*outcome)) outcome {
	change(&out)
	return out
}

// annotated returns a container whose annotation requests a restart since a time, in
// seconds, after an action that was observed at another one.
func annotated(at, before int64) *containersv1.Container {
	c := requested(2, at)
	c.UID, c.ResourceVersion = "uid", "7"
	c.Annotations = map[string]string{containersv1.ActionAnnotation: string(containersv1.ActionRestart)}
	c.ManagedFields[0].FieldsV1 = metav1.NewFieldsV1(`{"f:metadata":{"f:annotations":{"f:` + containersv1.ActionAnnotation + `":{}}}}`)
	if before != 0 {
		c.Status.LastAction = &containersv1.ActionStatus{State: containersv1.ActionSucceeded, ObservedAt: metav1.NewMicroTime(time.Unix(before, 0))}
	}
	return c
}

func TestAnnotationOf(t *testing.T) {
	first := annotationOf(annotated(100, 50))
	if first == "" || first != annotationOf(annotated(100, 50)) {
		t.Errorf("the same action is %q and %q", first, annotationOf(annotated(100, 50)))
	}
	for name, other := range map[string]*containersv1.Container{
		"a later one": annotated(101, 50), "the second one in a second": annotated(100, 100), "the first one": annotated(100, 0),
	} {
		if annotationOf(other) == first {
			t.Errorf("%s is the same action", name)
		}
	}
}

// acceptingWriter has a resource, and accepts writes.
type acceptingWriter struct {
	Writer
	// stored is what it has, and written the last write.
	stored, written *containersv1.Container
}

func (w *acceptingWriter) Get(context.Context, containersv1.Kind, string, string) (containersv1.Mirror, error) {
	return w.stored, nil
}

func (w *acceptingWriter) UpdateStatus(_ context.Context, obj containersv1.Mirror) (containersv1.Mirror, error) {
	w.written = obj.(*containersv1.Container)
	return obj, nil
}

// A hub that returns from a backup has an annotation again that was accepted before.
func TestActionIsAcceptedOnce(t *testing.T) {
	w := &acceptingWriter{}
	cfg := Config{Kind: containersv1.KindContainer, Name: "c1", Kube: w, Ledger: &ledger{requests: map[string]string{}}}
	for i, test := range []struct {
		resource *containersv1.Container
		wasDone  bool
	}{{annotated(100, 50), false}, {annotated(100, 50), true}, {annotated(100, 60), false}} {
		w.stored = test.resource
		v := view{kind: cfg.Kind, engine: present, object: engineContainer(containersv1.ContainerRunning), resource: w.stored}
		if out := cfg.operate(t.Context(), writeStatus, v); out.err != nil || w.written.RunningAction() == nil {
			t.Fatalf("%d: %+v, %v", i, w.written.Status.LastAction, out.err)
		}
		out := outcome{op: runAction, uid: "uid", request: requestOf(runAction, w.written)}
		wasDone := cfg.wasDone(v.with(w.written), &out)
		if wasDone != test.wasDone || wasDone && out.result.err.Error() != errDoneBefore.Error() {
			t.Errorf("%d: done %v, result %+v", i, wasDone, out.result)
		}
	}
}

// A hub that returns from a backup has an action that is Running again.
func TestRunningActionIsCalledOnce(t *testing.T) {
	var verbs []engine.Verb
	c := annotated(100, 50)
	c.Status.LastAction = &containersv1.ActionStatus{Action: containersv1.ActionStop, State: containersv1.ActionRunning, ObservedAt: metav1.NewMicroTime(time.Unix(100, 0))}
	run := engineContainer(containersv1.ContainerExited).Status.Run()
	c.Status.LastAction.Before = &run
	cfg := Config{
		Kind: containersv1.KindContainer, Name: "c1", Kube: &acceptingWriter{stored: c}, Engine: recordingEngine{verbs: &verbs},
		Ledger: &ledger{requests: map[string]string{}},
	}
	v := view{kind: cfg.Kind, engine: present, object: engineContainer(containersv1.ContainerExited), resource: c, recorded: &c.Status.LastAction.ObservedAt}
	for range 2 {
		out := cfg.operate(t.Context(), runAction, v)
		if out.err != nil || out.result == nil || out.result.err != nil {
			t.Errorf("outcome %+v", out)
		}
	}
	if len(verbs) != 1 {
		t.Errorf("verbs %q, want one", verbs)
	}
}
