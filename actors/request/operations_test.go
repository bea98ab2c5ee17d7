package request

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// silentAPI answers no reading.
type silentAPI struct{ Writer }

func (silentAPI) Get(ctx context.Context, _ client.Object) error {
	<-ctx.Done()
	return ctx.Err()
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
