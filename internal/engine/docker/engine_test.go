package docker_test

import (
	"context"
	"errors"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/containerd/errdefs"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/dockersim"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine/docker"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/testkit"
)

const patience = 20 * time.Second

func setup(tb testing.TB) (*dockersim.Engine, docker.API, context.Context) {
	tb.Helper()
	sim := dockersim.Start(tb)
	return sim, open(tb, sim.Endpoint()), deadline(tb, patience)
}

func open(tb testing.TB, endpoint string) docker.API {
	tb.Helper()
	engine, err := docker.Dial(endpoint)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = engine.Close() })
	return engine
}

func deadline(tb testing.TB, after time.Duration) context.Context {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), after)
	tb.Cleanup(cancel)
	return ctx
}

// must is for calls whose error ends the test.
func must[T any](tb testing.TB) func(T, error) T {
	return func(value T, err error) T {
		tb.Helper()
		if err != nil {
			tb.Fatal(err)
		}
		return value
	}
}

func TestConnect(t *testing.T) {
	sim, engine, ctx := setup(t)
	sim.SetClockOffset(-48 * time.Hour)
	info := must[docker.Info](t)(engine.Connect(ctx))
	if info.Version != "20.10.24+sim" || info.APIVersion != "1.41" {
		t.Errorf("got %+v", info)
	}
	if off := time.Until(info.SystemTime); off > -47*time.Hour || off < -49*time.Hour {
		t.Errorf("engine's clock is off by %s", off)
	}
	sim.SetVersion("28.0.0", "1.48")
	if info = must[docker.Info](t)(engine.Connect(ctx)); info.APIVersion != "1.48" {
		t.Errorf("after an upgrade: %+v", info)
	}
	sim.SetVersion("20.10.24", "1.41")
	if _, err := engine.List(ctx, containersv1.KindContainer); err == nil || !strings.Contains(err.Error(), "too new") {
		t.Errorf("after a downgrade: %v", err)
	}
	if info = must[docker.Info](t)(engine.Connect(ctx)); info.APIVersion != "1.41" {
		t.Errorf("after a downgrade: %+v", info)
	}
	must[[]docker.Listed](t)(engine.List(ctx, containersv1.KindContainer))
	sim.SetVersion("17.03", "1.26")
	if _, err := engine.Connect(ctx); err == nil || !strings.Contains(err.Error(), "upgrade the engine") {
		t.Errorf("an engine that is too old: %v", err)
	}
}

// An image without a tag that was pulled by digest from two repositories.
func TestRemoveImageWithTwoDigests(t *testing.T) {
	sim, engine, ctx := setup(t)
	digest := "@sha256:" + strings.Repeat("a", 64)
	id := sim.AddImageSpec(dockersim.ImageSpec{Digests: []string{"reg.example/alpha" + digest, "reg.example/beta" + digest}})
	user := sim.AddContainer("user", id)
	if err := engine.Remove(ctx, containersv1.KindImage, id); !errdefs.IsConflict(err) {
		t.Errorf("in use: %v", err)
	}
	images := must[[]containersv1.Mirror](t)(engine.Inspect(ctx, containersv1.KindImage, id))
	if left := images[0].(*containersv1.Image).Status; len(images) != 1 || len(left.RepoDigests) != 2 {
		t.Errorf("a refused removal left %+v", left)
	}
	if err := sim.RemoveContainer(user, false); err != nil {
		t.Fatal(err)
	}
	if err := engine.Remove(ctx, containersv1.KindImage, id); err != nil || len(sim.ImageIDs()) != 0 {
		t.Errorf("%v, left %q", err, sim.ImageIDs())
	}
	tagged := sim.AddImageSpec(dockersim.ImageSpec{Tags: []string{"x:1", "y:1"}})
	if err := engine.Remove(ctx, containersv1.KindImage, tagged); !errdefs.IsConflict(err) || len(sim.ImageTags(tagged)) != 2 {
		t.Errorf("with tags: %v, left %q", err, sim.ImageTags(tagged))
	}
}

func TestUnreachable(t *testing.T) {
	missing := open(t, "unix://"+filepath.Join(t.TempDir(), "none.sock"))
	_, err := missing.Connect(deadline(t, patience))
	if !docker.IsUnreachable(err) {
		t.Errorf("no socket: %v", err)
	}
	sim, engine, ctx := setup(t)
	must[docker.Info](t)(engine.Connect(ctx))
	// Not once: net/http repeats a read whose kept connection was closed.
	takeBack := sim.Inject("GET /volumes", dockersim.Fault{Drop: true})
	if _, err := engine.List(ctx, containersv1.KindVolume); !docker.IsUnreachable(err) {
		t.Errorf("dropped: %v", err)
	}
	takeBack()
	sim.Freeze()
	hung, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
	defer cancel()
	if _, err := engine.List(hung, containersv1.KindVolume); !docker.IsUnreachable(err) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("hung: %v", err)
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := engine.List(cancelled, containersv1.KindVolume); docker.IsUnreachable(err) || !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	sim.Thaw()
	takeBack = sim.Inject("GET /volumes", dockersim.Fault{Status: http.StatusInternalServerError, Message: "disk on fire"})
	if _, err := engine.List(ctx, containersv1.KindVolume); docker.IsUnreachable(err) || err == nil || err.Error() != "list volumes: disk on fire" {
		t.Errorf("refused: %v", err)
	}
	takeBack()
	if err := sim.Refuse(); err != nil {
		t.Fatal(err)
	}
	if err := engine.Remove(ctx, containersv1.KindVolume, "x"); !docker.IsUnreachable(err) {
		t.Errorf("refusing: %v", err)
	}
	if err := sim.Accept(); err != nil {
		t.Fatal(err)
	}
	must[[]docker.Listed](t)(engine.List(ctx, containersv1.KindVolume))
}

func TestListSkipsInvalidObjects(t *testing.T) {
	dir := testkit.ShortDir(t)
	serve(t, filepath.Join(dir, "s"), map[string]string{
		"/containers/json": `[{"Id":"a","Ports":[{"IP":"invalid IP","PrivatePort":"x"}],"Created":"now"},{"Id":"b"},{"Id":"a"},{}]`,
		"/images/json":     `[{"Id":"i","Created":"now"},{"Id":"j"},{"Id":"i"}]`,
	})
	engine := open(t, "unix://"+filepath.Join(dir, "s"))
	if ids := docker.IDs(must[[]docker.Listed](t)(engine.List(deadline(t, patience), containersv1.KindContainer))); !slices.Equal(ids, []string{"a", "b"}) {
		t.Errorf("containers: %q", ids)
	}
	if ids := docker.IDs(must[[]docker.Listed](t)(engine.List(deadline(t, patience), containersv1.KindImage))); !slices.Equal(ids, []string{"i", "j"}) {
		t.Errorf("images: %q", ids)
	}
}

func TestConnectionsAreBoundedReusedAndClosed(t *testing.T) {
	sim, engine, ctx := setup(t)
	sim.Populate(200, 0, 0)
	for range 3 {
		var pool sync.WaitGroup
		work := make(chan string)
		for range 16 {
			pool.Go(func() {
				for id := range work {
					if _, err := engine.Inspect(ctx, containersv1.KindImage, id); err != nil {
						t.Error(err)
					}
				}
			})
		}
		for _, id := range sim.ImageIDs() {
			work <- id
		}
		close(work)
		pool.Wait()
	}
	// A request dials when no connection is idle, and takes one that becomes idle
	// meanwhile: the new connection is idle then.
	if open := sim.Connections(); open > 32 {
		t.Errorf("%d connections for a pool of 16", open)
	}
	if calls := sim.Calls("GET /images/{name}/json"); calls != 600 {
		t.Errorf("%d inspects", calls)
	}
	if err := engine.Close(); err != nil {
		t.Error(err)
	}
	testkit.EventuallyTrue(t, patience, "the connections to close", func() bool { return sim.Connections() == 0 })
	if _, err := engine.List(ctx, containersv1.KindImage); err == nil {
		t.Error("a closed engine answers")
	}
}

func BenchmarkInspectImages(b *testing.B) {
	sim, engine, ctx := setup(b)
	sim.Populate(1000, 0, 0)
	ids := sim.ImageIDs()
	next := 0
	for b.Loop() {
		if _, err := engine.Inspect(ctx, containersv1.KindImage, ids[next%len(ids)]); err != nil {
			b.Fatal(err)
		}
		next++
	}
}
