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
	if info.Version != "20.10.24+sim" || info.APIVersion != "1.41" || info.OSType != "linux" || info.Arch != "amd64" {
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
	if _, err := engine.ListContainers(ctx); err == nil || !strings.Contains(err.Error(), "too new") {
		t.Errorf("after a downgrade: %v", err)
	}
	if info = must[docker.Info](t)(engine.Connect(ctx)); info.APIVersion != "1.41" {
		t.Errorf("after a downgrade: %+v", info)
	}
	must[[]string](t)(engine.ListContainers(ctx))
	sim.SetVersion("17.03", "1.26")
	if _, err := engine.Connect(ctx); err == nil || !strings.Contains(err.Error(), "upgrade the engine") {
		t.Errorf("an engine that is too old: %v", err)
	}
}

func TestContainers(t *testing.T) {
	sim, engine, ctx := setup(t)
	sim.AddImage("app:1")
	id := sim.AddContainerSpec(dockersim.ContainerSpec{
		Name: "web", Image: "app:1", Labels: map[string]string{"a": "b"}, Exposed: []string{"53/udp"},
		Published: []dockersim.PortBinding{{Port: "80/tcp", HostPort: "8080"}},
	})
	other := sim.AddContainer("other", "app:1")
	ids := must[[]string](t)(engine.ListContainers(ctx))
	if slices.Sort(ids); !slices.Equal(ids, sim.ContainerIDs()) || len(ids) != 2 {
		t.Errorf("list: %q", ids)
	}
	read := func() containersv1.ContainerStatus {
		t.Helper()
		return must[*containersv1.Container](t)(engine.Container(ctx, id)).Status
	}
	if got := read(); got.Status != "created" || got.Name != "web" || got.Image != "app:1" || got.StartedAt != nil || got.Labels["a"] != "b" {
		t.Errorf("created: %+v", got)
	}
	check := func(what string, err error, want containersv1.ContainerState) {
		t.Helper()
		if got := read(); err != nil || got.Status != want {
			t.Errorf("%s: %v, %s", what, err, got.Status)
		}
	}
	check("start", engine.StartContainer(ctx, id), "running")
	check("start again", engine.StartContainer(ctx, id), "running")
	if got := read(); got.PID == 0 || got.StartedAt == nil || len(got.Ports) != 2 || len(got.Ports[1].Bindings) != 2 {
		t.Errorf("running: %+v", got)
	}
	check("pause", sim.PauseContainer(id), "paused")
	check("unpause", engine.UnpauseContainer(ctx, id), "running")
	check("pause again", sim.PauseContainer(id), "paused")
	check("S4: stop a paused one", engine.StopContainer(ctx, id), "exited")
	check("stop again", engine.StopContainer(ctx, id), "exited")
	if got := read(); got.ExitCode != 143 || got.FinishedAt == nil || got.PID != 0 {
		t.Errorf("exited: %+v", got)
	}
	check("start", engine.StartContainer(ctx, id), "running")
	if err := engine.RemoveContainer(ctx, id, false); !docker.IsConflict(err) ||
		err.Error() != "You cannot remove a running container "+id+". Stop the container before attempting removal or force remove" {
		t.Errorf("remove a running one: %v", err)
	}
	if err := errors.Join(engine.RemoveContainer(ctx, id, true), engine.RemoveContainer(ctx, other, false)); err != nil {
		t.Error(err)
	}
	_, err := engine.Container(ctx, id)
	for _, err := range []error{err, engine.StartContainer(ctx, id), engine.RemoveContainer(ctx, id, false)} {
		if !docker.IsNotFound(err) || docker.IsConflict(err) || docker.IsUnreachable(err) {
			t.Errorf("gone: %v", err)
		}
	}
}

func TestFailedStartE10(t *testing.T) {
	sim, engine, ctx := setup(t)
	sim.AddImage("app:1")
	id := sim.AddContainerSpec(dockersim.ContainerSpec{Name: "bad", Image: "app:1", StartError: "exec: no such program"})
	before := sim.EventCount()
	if err := engine.StartContainer(ctx, id); err == nil || err.Error() != "exec: no such program" {
		t.Errorf("start: %v", err)
	}
	got := must[*containersv1.Container](t)(engine.Container(ctx, id)).Status
	if got.Status != "created" || got.ExitCode != 127 || got.Error != "exec: no such program" || sim.EventCount() != before+2 {
		t.Errorf("got %+v and %d events, want those of the network", got, sim.EventCount()-before)
	}
}

func TestImages(t *testing.T) {
	sim, engine, ctx := setup(t)
	tagged := sim.AddImage("app:1", "app:2", "reg.example:5000/team/app:V1")
	dangling := sim.AddImage()
	parent := sim.AddImage()
	child := sim.AddImageSpec(dockersim.ImageSpec{Tags: []string{"child"}, Parent: parent})
	ids := docker.ImageIDs(must[[]docker.ListedImage](t)(engine.ListImages(ctx)))
	want := []string{tagged, dangling, child}
	slices.Sort(ids)
	slices.Sort(want)
	if !slices.Equal(ids, want) {
		t.Errorf("list: %q, want %q", ids, want)
	}
	for _, ref := range []string{tagged, "app:1", "docker.io/library/app:2"} {
		images := must[[]*containersv1.Image](t)(engine.Images(ctx, ref))
		if len(images) != 3 || images[0].Status.RepoTag != "app:1" || images[2].Status.RepoTag != "reg.example:5000/team/app:V1" ||
			images[0].Status.ID != tagged {
			t.Errorf("%s: %+v", ref, images)
		}
	}
	if images := must[[]*containersv1.Image](t)(engine.Images(ctx, dangling)); len(images) != 1 || images[0].Status.RepoTag != "" {
		t.Errorf("dangling: %+v", images)
	}
	if err := engine.RemoveImage(ctx, "app:1"); err != nil || !slices.Equal(sim.ImageTags(tagged), []string{"app:2", "reg.example:5000/team/app:V1"}) {
		t.Errorf("untag: %v, %q", err, sim.ImageTags(tagged))
	}
	if err := engine.RemoveImage(ctx, dangling); err != nil {
		t.Errorf("remove a dangling one: %v", err)
	}
	if err := engine.RemoveImage(ctx, "child:latest"); err != nil || slices.Contains(sim.ImageIDs(), parent) {
		t.Errorf("remove with the parent: %v", err)
	}
	if _, err := engine.Images(ctx, dangling); !docker.IsNotFound(err) {
		t.Errorf("gone: %v", err)
	}
}

// An image without a tag that was pulled by digest from two repositories.
func TestRemoveImageWithTwoDigests(t *testing.T) {
	sim, engine, ctx := setup(t)
	digest := "@sha256:" + strings.Repeat("a", 64)
	id := sim.AddImageSpec(dockersim.ImageSpec{Digests: []string{"reg.example/alpha" + digest, "reg.example/beta" + digest}})
	user := sim.AddContainer("user", id)
	if err := engine.RemoveImage(ctx, id); !docker.IsConflict(err) {
		t.Errorf("in use: %v", err)
	}
	images := must[[]*containersv1.Image](t)(engine.Images(ctx, id))
	if len(images) != 1 || len(images[0].Status.RepoDigests) != 2 {
		t.Errorf("a refused removal left %+v", images[0].Status)
	}
	if err := sim.RemoveContainer(user, false); err != nil {
		t.Fatal(err)
	}
	if err := engine.RemoveImage(ctx, id); err != nil || len(sim.ImageIDs()) != 0 {
		t.Errorf("%v, left %q", err, sim.ImageIDs())
	}
	tagged := sim.AddImageSpec(dockersim.ImageSpec{Tags: []string{"x:1", "y:1"}})
	if err := engine.RemoveImage(ctx, tagged); !docker.IsConflict(err) || len(sim.ImageTags(tagged)) != 2 {
		t.Errorf("with tags: %v, left %q", err, sim.ImageTags(tagged))
	}
}

func TestRemoveImageInUseI3(t *testing.T) {
	sim, engine, ctx := setup(t)
	id := sim.AddImage("app:1")
	user := sim.AddContainer("user", "app:1")
	want := `conflict: unable to remove repository reference "app:1" (must force) - container ` + user[:12] + " is using its referenced image " + id[7:19]
	if err := engine.RemoveImage(ctx, "app:1"); !docker.IsConflict(err) || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if err := sim.RemoveContainer(user, true); err != nil {
		t.Fatal(err)
	}
	if err := engine.RemoveImage(ctx, "app:1"); err != nil || len(sim.ImageIDs()) != 0 {
		t.Errorf("later: %v", err)
	}
}

func TestVolumes(t *testing.T) {
	sim, engine, ctx := setup(t)
	sim.AddVolume("My_Volume")
	sim.AddVolumeSpec(dockersim.VolumeSpec{Name: "beta", Labels: map[string]string{"x": "y"}, Options: map[string]string{"o": "p"}})
	sim.AddImage("app")
	sim.AddContainerSpec(dockersim.ContainerSpec{Name: "user", Image: "app", Volumes: []string{"beta"}})
	volumes := must[[]*containersv1.Volume](t)(engine.ListVolumes(ctx))
	if len(volumes) != 2 || volumes[0].Status.Name != "My_Volume" {
		t.Fatalf("list: %+v", volumes)
	}
	one := must[*containersv1.Volume](t)(engine.Volume(ctx, "beta"))
	if one.Name != volumes[1].Name || one.Status.Labels["x"] != "y" || one.Status.CreatedAt == nil || !one.Status.CreatedAt.Equal(volumes[1].Status.CreatedAt) {
		t.Errorf("inspect: %+v, list: %+v", one, volumes[1])
	}
	if err := engine.RemoveVolume(ctx, "beta"); !docker.IsConflict(err) || !strings.HasPrefix(err.Error(), "remove beta: volume is in use") {
		t.Errorf("in use: %v", err)
	}
	if err := engine.RemoveVolume(ctx, "My_Volume"); err != nil {
		t.Error(err)
	}
	if _, err := engine.Volume(ctx, "My_Volume"); !docker.IsNotFound(err) {
		t.Errorf("gone: %v", err)
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
	if _, err := engine.ListVolumes(ctx); !docker.IsUnreachable(err) {
		t.Errorf("dropped: %v", err)
	}
	takeBack()
	sim.Freeze()
	hung, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
	defer cancel()
	if _, err := engine.ListVolumes(hung); !docker.IsUnreachable(err) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("hung: %v", err)
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := engine.ListVolumes(cancelled); docker.IsUnreachable(err) || !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	sim.Thaw()
	takeBack = sim.Inject("GET /volumes", dockersim.Fault{Status: http.StatusInternalServerError, Message: "disk on fire"})
	if _, err := engine.ListVolumes(ctx); docker.IsUnreachable(err) || err == nil || err.Error() != "list volumes: disk on fire" {
		t.Errorf("refused: %v", err)
	}
	takeBack()
	if err := sim.Refuse(); err != nil {
		t.Fatal(err)
	}
	if err := engine.RemoveVolume(ctx, "x"); !docker.IsUnreachable(err) {
		t.Errorf("refusing: %v", err)
	}
	if err := sim.Accept(); err != nil {
		t.Fatal(err)
	}
	must[[]*containersv1.Volume](t)(engine.ListVolumes(ctx))
}

func TestOneOddObjectDoesNotCostTheList(t *testing.T) {
	dir := testkit.ShortDir(t)
	serve(t, filepath.Join(dir, "s"), map[string]string{
		"/containers/json": `[{"Id":"a","Ports":[{"IP":"invalid IP","PrivatePort":"x"}],"Created":"now"},{"Id":"b"},{"Id":"a"},{}]`,
		"/images/json":     `[{"Id":"i","Created":"now"},{"Id":"j"},{"Id":"i"}]`,
	})
	engine := open(t, "unix://"+filepath.Join(dir, "s"))
	if ids := must[[]string](t)(engine.ListContainers(deadline(t, patience))); !slices.Equal(ids, []string{"a", "b"}) {
		t.Errorf("containers: %q", ids)
	}
	if ids := docker.ImageIDs(must[[]docker.ListedImage](t)(engine.ListImages(deadline(t, patience)))); !slices.Equal(ids, []string{"i", "j"}) {
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
					if _, err := engine.Images(ctx, id); err != nil {
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
	if open := sim.Connections(); open > 17 {
		t.Errorf("%d connections for a pool of 16", open)
	}
	if calls := sim.Calls("GET /images/{name}/json"); calls != 600 {
		t.Errorf("%d inspects", calls)
	}
	if err := engine.Close(); err != nil {
		t.Error(err)
	}
	testkit.EventuallyTrue(t, patience, "the connections to close", func() bool { return sim.Connections() == 0 })
	if _, err := engine.ListImages(ctx); err == nil {
		t.Error("a closed engine answers")
	}
}

func BenchmarkInspectImages(b *testing.B) {
	sim, engine, ctx := setup(b)
	sim.Populate(1000, 0, 0)
	ids := sim.ImageIDs()
	next := 0
	for b.Loop() {
		if _, err := engine.Images(ctx, ids[next%len(ids)]); err != nil {
			b.Fatal(err)
		}
		next++
	}
}
