package request

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rancher-sandbox/rancher-desktop-daemon/actors/task"
	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/async"
)

// silentAPI answers no reading.
type silentAPI struct{ Writer }

func (silentAPI) Get(ctx context.Context, _ client.Object) error {
	<-ctx.Done()
	return ctx.Err()
}

// quickAPI reads each request as it is.
type quickAPI struct{ Writer }

func (quickAPI) Get(context.Context, client.Object) error { return nil }

// The work of a request that was replaced can report until it has noticed its end.
func TestProgressOfReplacedRequestDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for uid, isShown := range map[types.UID]bool{"u1": true, "u2": false} {
			var sent []any
			former := &containersv1.ImagePullRequest{}
			former.UID = "u1"
			report := func(_ context.Context, t Task) Outcome {
				t.Progress(containersv1.RequestProgress{Bytes: 5})
				return Outcome{}
			}
			Config{Kube: quickAPI{}}.carryOut(t.Context(), report, Task{Request: former}, "", func(m any) { sent = append(sent, m) })

			now := &containersv1.ImagePullRequest{}
			now.UID = uid
			r := &request{view: view{resource: now, desired: now.CopyRequest()}, cancel: func() {}}
			r.tasks = &task.Runner{Runner: async.NewRunner(t.Context(), func(async.Result) {})}
			for _, m := range sent {
				r.receiveOwn(m.(toSelf))
			}
			if p := r.view.desired.CommonStatus().Progress; len(sent) != 1 || (p != nil) != isShown {
				t.Errorf("of %d reports of request u1, request %s shows %+v", len(sent), uid, p)
			}
		}
	})
}

// The work of a container's request has no deadline, because of its pull: a reading
// without an answer would keep the request unfinished for good.
func TestUnansweredReadingIsRetried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		r := &containersv1.ContainerCreateRequest{}
		out := Config{Kube: silentAPI{}}.carryOut(t.Context(), createContainer, Task{Request: r}, "", nil)
		if out.outcome.phase != phaseRetry || time.Since(began) != apiTimeout {
			t.Errorf("%+v after %v, want a retry after %v", out, time.Since(began), apiTimeout)
		}
	})
}
