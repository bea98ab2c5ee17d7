package docker_test

import (
	"log/slog"
	"slices"
	"testing"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/dockersim"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine/docker"
)

func newEngine(t *testing.T) (*dockersim.Engine, engine.Engine) {
	t.Helper()
	sim, api, _ := setup(t)
	return sim, docker.New(api, docker.Settings{}, slog.New(slog.DiscardHandler))
}

// Row S4: a paused container can neither start nor handle the stop signal.
func TestDoUnpausesPausedContainer(t *testing.T) {
	for verb, want := range map[engine.Verb]containersv1.ContainerState{
		engine.VerbStart: containersv1.ContainerRunning, engine.VerbStop: containersv1.ContainerExited,
	} {
		sim, e := newEngine(t)
		sim.AddImage("app:1")
		key := engine.Key{Kind: containersv1.KindContainer, ID: sim.AddContainer("web", "app:1")}
		ctx := deadline(t, patience)
		if err := e.Do(ctx, key, engine.VerbStart); err != nil {
			t.Fatal(err)
		}
		if err := sim.PauseContainer(key.ID); err != nil {
			t.Fatal(err)
		}
		if err := e.Do(ctx, key, verb); err != nil {
			t.Errorf("%s: %v", verb, err)
		}
		if n := sim.Calls("POST /containers/{id}/unpause"); n != 1 {
			t.Errorf("%s: %d calls to unpause, want one", verb, n)
		}
		m, err := e.Get(ctx, key)
		if err != nil || m.(*containersv1.Container).Status.Status != want {
			t.Errorf("after %s: %v, %v, want %s", verb, m, err, want)
		}
	}
}

// A tag names the image that has it now, and the user has deleted another image.
func TestDoRemoveKeepsImageThatGotTag(t *testing.T) {
	sim, e := newEngine(t)
	ctx := deadline(t, patience)
	old := sim.AddImage("app:1")
	now := sim.AddImage("app:1")
	stale := engine.Key{Kind: containersv1.KindImage, ID: old, Tag: "app:1"}
	if _, err := e.Get(ctx, stale); !engine.IsNotFound(err) {
		t.Errorf("get the former owner of the tag: %v", err)
	}
	if err := e.Do(ctx, stale, engine.VerbRemove); !engine.IsNotFound(err) || !slices.Contains(sim.ImageIDs(), now) {
		t.Errorf("remove the former owner of the tag: %v, images %q", err, sim.ImageIDs())
	}
	if err := e.Do(ctx, engine.Key{Kind: containersv1.KindImage, ID: now, Tag: "app:1"}, engine.VerbRemove); err != nil || slices.Contains(sim.ImageIDs(), now) {
		t.Errorf("remove the owner of the tag: %v, images %q", err, sim.ImageIDs())
	}
}

func TestDoReportsUnreachableEngine(t *testing.T) {
	sim, e := newEngine(t)
	if err := sim.Refuse(); err != nil {
		t.Fatal(err)
	}
	key := engine.Key{Kind: containersv1.KindVolume, ID: "v"}
	if err := e.Do(deadline(t, patience), key, engine.VerbRemove); !engine.IsUnreachable(err) {
		t.Errorf("remove: %v", err)
	}
	if _, err := e.Get(deadline(t, patience), key); !engine.IsUnreachable(err) {
		t.Errorf("get: %v", err)
	}
}
