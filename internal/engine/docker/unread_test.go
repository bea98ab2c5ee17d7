package docker_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"testing"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/dockersim"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine/docker"
)

// An object that is listed and cannot be read is reported as unread, so that its
// mirror stays: an engine that fails to inspect a network still has it.
func TestListedObjectThatFailsIsUnread(t *testing.T) {
	sim := dockersim.Start(t)
	image := sim.AddImage("x:1")
	network := sim.AddNetwork("app")
	for kind, object := range map[containersv1.Kind]struct{ id, call string }{
		containersv1.KindContainer: {sim.AddContainer("web", "x:1"), "GET /containers/{id}/json"},
		containersv1.KindImage:     {image, "GET /images/{name}/json"},
		containersv1.KindNetwork:   {network, "GET /networks/{id}"},
	} {
		t.Run(string(kind), func(t *testing.T) {
			defer sim.Inject(object.call, dockersim.Fault{Status: http.StatusInternalServerError, Message: "disk on fire"})()
			synced := firstSync(t, sim.Endpoint())
			if !slices.Contains(synced.Unread, engine.Key{Kind: kind, ID: object.id}) {
				t.Errorf("unread %v, want %s %s", synced.Unread, kind, object.id)
			}
		})
	}
}

// firstSync watches an engine until its first full sync is complete.
func firstSync(t *testing.T, endpoint string) (first engine.Synced) {
	t.Helper()
	e, err := docker.Dialer(docker.Settings{}, slog.New(slog.DiscardHandler))(endpoint)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	done := errors.New("synced")
	ctx, cancel := context.WithCancelCause(deadline(t, patience))
	err = e.Watch(ctx, nil, func(ev engine.Event) {
		if synced, ok := ev.(engine.Synced); ok && context.Cause(ctx) == nil {
			first = synced
			cancel(done)
		}
	})
	if !errors.Is(err, done) {
		t.Fatalf("watch: %v", err)
	}
	return first
}
