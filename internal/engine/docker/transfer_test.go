package docker_test

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/dockersim"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine/docker"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine/memory"
)

func dialSim(t *testing.T, sim *dockersim.Engine, settings docker.Settings) engine.Engine {
	t.Helper()
	e := must[engine.Engine](t)(docker.Dialer(settings, slog.New(slog.DiscardHandler))(sim.Endpoint()))
	t.Cleanup(func() { _ = e.Close() })
	return e
}

func TestPullFromSilentRegistryEnds(t *testing.T) {
	t.Parallel()
	sim := dockersim.Start(t)
	sim.AddRegistry("127.0.0.1:5000", memory.RegistrySpec{Hangs: true})
	e := dialSim(t, sim, docker.Settings{Silence: 200 * time.Millisecond})
	_, err := e.Pull(t.Context(), engine.PullSpec{Ref: "127.0.0.1:5000/app"}, engine.Credentials{}, func(engine.Progress) {})
	const want = "pull 127.0.0.1:5000/app: nothing was received for 200ms: check that the registry 127.0.0.1:5000 answers, and retry"
	if err == nil || err.Error() != want || engine.IsUnreachable(err) {
		t.Errorf("%v, want %s", err, want)
	}
}

// An engine that is shutting down refuses what it can do after its restart.
func TestShuttingDownEngineIsAway(t *testing.T) {
	t.Parallel()
	sim := dockersim.Start(t)
	sim.AddRegistry("127.0.0.1:5000", memory.RegistrySpec{})
	e := dialSim(t, sim, docker.Settings{})
	for words, want := range map[string]bool{
		"error creating temporary lease: grpc: the client connection is closing: context canceled":                                                       true,
		`connection error: desc = "transport: error while dialing: dial unix /run/containerd/containerd.sock: connect: connection refused": unavailable`: true,
		"error reading from server: EOF: unavailable":                  true,
		"context canceled":                                             true,
		`exec: "context canceled": executable file not found in $PATH`: false,
		"disk on fire": false,
	} {
		takeBack := sim.Inject("POST /images/create", dockersim.Fault{Status: 500, Message: words})
		_, err := e.Pull(t.Context(), engine.PullSpec{Ref: "127.0.0.1:5000/app"}, engine.Credentials{}, func(engine.Progress) {})
		if engine.IsAway(err) != want || engine.IsUnreachable(err) || err == nil || err.Error() != words {
			t.Errorf("pull: %v, away: %v, unreachable: %v", err, engine.IsAway(err), engine.IsUnreachable(err))
		}
		takeBack()
		takeBack = sim.Inject("DELETE /volumes/x", dockersim.Fault{Status: 500, Message: words})
		err = e.Do(t.Context(), engine.Key{Kind: containersv1.KindVolume, ID: "x"}, engine.VerbRemove)
		if engine.IsAway(err) != want || engine.IsUnreachable(err) || err == nil {
			t.Errorf("remove: %v, away: %v, unreachable: %v", err, engine.IsAway(err), engine.IsUnreachable(err))
		}
		takeBack()
	}
}

// Pulls hold their connections for long, and other calls have some of their own.
func TestPullsTakeNoConnections(t *testing.T) {
	t.Parallel()
	sim := dockersim.Start(t)
	sim.AddRegistry("127.0.0.1:5000", memory.RegistrySpec{Hangs: true})
	e := dialSim(t, sim, docker.Settings{})
	for range 150 {
		go func() {
			_, _ = e.Pull(t.Context(), engine.PullSpec{Ref: "127.0.0.1:5000/app"}, engine.Credentials{}, func(engine.Progress) {})
		}()
	}
	id := sim.AddImage("app:1")
	if _, err := e.Tag(deadline(t, patience), id, "app:2"); err != nil {
		t.Errorf("tag beside 150 pulls: %v", err)
	}
}

func TestPruneWaitsForOtherMeasurement(t *testing.T) {
	t.Parallel()
	sim := dockersim.Start(t)
	sim.AddImage()
	sim.Inject("GET /system/df", dockersim.Fault{Times: 1, Status: 500, Message: "a disk usage operation is already running"})
	done, err := dialSim(t, sim, docker.Settings{}).Prune(t.Context(), engine.PruneOptions{Kinds: pruneImages()}, func(engine.Pruned) {})
	if err != nil || len(done) != 1 {
		t.Errorf("%+v, %v", done, err)
	}
}

func TestPruneReportsRefusalsOfEngine(t *testing.T) {
	t.Parallel()
	sim := dockersim.Start(t)
	bad, good := sim.AddImage("bad:1"), sim.AddImage("good:1")
	sim.Inject("DELETE /images/bad:1", dockersim.Fault{Status: 500, Message: "the disk is on fire"})
	done, err := dialSim(t, sim, docker.Settings{}).Prune(t.Context(), engine.PruneOptions{Kinds: pruneImages(), All: true}, func(engine.Pruned) {})
	if err == nil || !strings.Contains(err.Error(), "Image bad:1: the disk is on fire") || len(done) != 1 || done[0].Key.ID != good {
		t.Errorf("%+v, %v (bad is %s)", done, err, bad)
	}
}

func pruneImages() []containersv1.Kind { return []containersv1.Kind{containersv1.KindImage} }
