package request

import (
	"context"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// changedAPI reads a request as another client has changed it, or does not find it.
type changedAPI struct {
	Writer
	change func(client.Object)
}

func (a changedAPI) Get(_ context.Context, obj client.Object) error {
	if a.change == nil {
		return apierrors.NewNotFound(schema.GroupResource{Resource: "volumecreaterequests"}, obj.GetName())
	}
	a.change(obj)
	return nil
}

// The actor's copy can be of a request that is deleted, or replaced by one of the same name.
func TestWithdrawnRequestIsNotCarriedOut(t *testing.T) {
	for name, change := range map[string]func(client.Object){
		"deleted": nil,
		"being deleted": func(obj client.Object) {
			obj.SetDeletionTimestamp(&metav1.Time{Time: time.Unix(1, 0)})
		},
		"replaced": func(obj client.Object) { obj.SetUID("u2") },
	} {
		r := &containersv1.VolumeCreateRequest{}
		r.UID = "u1"
		work := func(context.Context, Task) Outcome {
			t.Errorf("%s: the request was carried out", name)
			return Outcome{}
		}
		if out := (Config{Kube: changedAPI{change: change}}).carryOut(t.Context(), work, Task{Request: r}, "", nil); !out.isWithdrawn {
			t.Errorf("%s: %+v", name, out)
		}
	}
}

// A request of the same name can be there when the work for the former one ends.
func TestOutcomeOfFormerRequestIgnored(t *testing.T) {
	now := &containersv1.VolumeCreateRequest{}
	now.UID = "u2"
	r := &request{view: view{resource: now, desired: now.CopyRequest()}, cancel: func() {}}
	r.worked(worked{uid: "u1", outcome: Completed("volume a was created", nil)})
	if containersv1.IsFinished(r.view.desired) || r.cancel == nil {
		t.Errorf("the outcome of a former request counts: %+v", r.view.desired.CommonStatus())
	}
}

// A prune that is repeated after an interruption says what both attempts have removed.
func TestPrunedObjectsOfAttemptsAdd(t *testing.T) {
	var s containersv1.PruneRequestStatus
	for _, name := range []string{"a", "b"} {
		addPruned(&s, containersv1.PruneRequestStatus{PrunedCount: 1, ReclaimedBytes: 5, Pruned: []containersv1.PrunedObject{{Name: name}}})
	}
	if s.PrunedCount != 2 || s.ReclaimedBytes != 10 || len(s.Pruned) != 2 || s.Pruned[0].Name != "a" || s.Pruned[1].Name != "b" {
		t.Errorf("%+v", s)
	}
}
