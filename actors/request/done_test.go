package request

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
)

// memoryLedger is a Ledger in memory.
type memoryLedger map[types.UID]string

func (l memoryLedger) Find(uid types.UID, request string) (string, bool) {
	outcome, ok := l[uid+types.UID(request)]
	return outcome, ok
}

func (l memoryLedger) Add(uid types.UID, request, outcome string) error {
	l[uid+types.UID(request)] = outcome
	return nil
}

// presentWriter has every request as it is.
type presentWriter struct{ Writer }

func (presentWriter) Get(context.Context, client.Object) error { return nil }

// A hub that returns from a backup has a request again that has ended.
func TestEndedRequestIsDoneOnce(t *testing.T) {
	result := resultOf(engine.Key{Kind: containersv1.KindVolume, ID: "data"})
	for name, test := range map[string]struct {
		outcome Outcome
		calls   int
		message string
	}{
		"completed": {Completed("volume data was created", result), 1, "volume data was created"},
		"failed":    {Failed(containersv1.ReasonInvalid, strings.Repeat("x", maxMessage)), 1, "xxx"},
		"retried":   {Retry(errors.New("EOF")), 2, "EOF"},
		"recorded":  {Recorded(containersv1.ReasonInProgress, "created", result), 2, "created"},
	} {
		calls := 0
		work := func(context.Context, Task) Outcome {
			calls++
			return test.outcome
		}
		cfg := Config{Kube: presentWriter{}, Ledger: memoryLedger{}, Logger: slog.New(slog.DiscardHandler)}
		for range 2 {
			got := cfg.carryOut(t.Context(), work, Task{Request: volumeRequest(nil)}, home, func(any) {}).outcome
			same := got.phase == test.outcome.phase && got.Reason == test.outcome.Reason && (got.Result == nil) == (test.outcome.Result == nil)
			if !same || !strings.HasPrefix(got.Message, test.message) {
				t.Errorf("%s: outcome %+v", name, got)
			}
		}
		if calls != test.calls {
			t.Errorf("%s: %d calls of the engine, want %d", name, calls, test.calls)
		}
	}
}

// The record has what only a push has, and no long list of a prune.
func TestDoneRequestKeepsItsStatus(t *testing.T) {
	cfg := Config{Ledger: memoryLedger{}, Logger: slog.New(slog.DiscardHandler)}
	push := Completed("pushed", nil)
	push.Set = func(r containersv1.Request) { r.(*containersv1.ImagePushRequest).Status.Digest = "sha256:1" }
	cfg.recordDone(containersv1.KindImagePushRequest, "push", push)
	prune := Completed("pruned", nil)
	prune.Set = func(r containersv1.Request) {
		addPruned(&r.(*containersv1.PruneRequest).Status, containersv1.PruneRequestStatus{Pruned: make([]containersv1.PrunedObject, 100)})
	}
	cfg.recordDone(containersv1.KindPruneRequest, "prune", prune)
	out, ok := cfg.doneBefore("push")
	if !ok || out.Set == nil {
		t.Fatalf("outcome %+v, %v", out, ok)
	}
	r := &containersv1.ImagePushRequest{}
	r.Spec.Image, r.Status.Message = "app:1", "waiting"
	out.Set(r)
	if r.Status.Digest != "sha256:1" || r.Spec.Image != "app:1" || r.Status.Message != "waiting" {
		t.Errorf("request %+v", r)
	}
	if out, ok := cfg.doneBefore("prune"); !ok || out.Set != nil || out.Message != "pruned" {
		t.Errorf("outcome %+v, %v", out, ok)
	}
}
