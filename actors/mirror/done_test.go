package mirror

import (
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// ledger is a Ledger in memory.
type ledger struct{ requests []string }

func (l *ledger) Has(uid types.UID, request string) bool {
	return slices.Contains(l.requests, string(uid)+" "+request)
}

func (l *ledger) Add(uid types.UID, request string) error {
	l.requests = append(l.requests, string(uid)+" "+request)
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
	if got := requestOf(applyDesiredState, unknown) + requestOf(runAction, requested(2, 100)); got != "" {
		t.Errorf("a request without an identity is %q", got)
	}
}

func TestRequestIsDoneOnce(t *testing.T) {
	l := &ledger{}
	cfg := Config{Ledger: l}
	out := outcome{op: applyDesiredState, uid: "uid", request: "state 2 at"}
	for name, failed := range map[string]outcome{
		"refused": with(out, func(o *outcome) { o.refused = errDeleted }), "failed": with(out, func(o *outcome) { o.err = errDeleted }),
		"outdated": with(out, func(o *outcome) { o.outdated = true }), "unknown": with(out, func(o *outcome) { o.request = "" }),
	} {
		cfg.recordDone(failed)
		if len(l.requests) != 0 || cfg.wasDone(&failed) {
			t.Errorf("a request that was %s is recorded", name)
		}
	}
	if cfg.wasDone(&out) {
		t.Error("it was done before")
	}
	cfg.recordDone(out)
	if !cfg.wasDone(&out) || !out.wasDone || len(l.requests) != 1 {
		t.Errorf("recorded %v", l.requests)
	}
	if (Config{}).wasDone(&out) {
		t.Error("without a ledger, a request was done")
	}
}

func with(out outcome, change func(*outcome)) outcome {
	change(&out)
	return out
}
