package mirror

import (
	"log/slog"
	"strings"
	"testing"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
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
