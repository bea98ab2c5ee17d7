package mirror

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/actors/task"
	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/async"
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
