//go:build linux

package docker_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine/docker"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine/docker/dockertest"
)

// create makes a container that obeys its stop signal at once.
func create(ctx context.Context, t *testing.T, cli *client.Client, name, image string, script string) string {
	t.Helper()
	created, err := cli.ContainerCreate(ctx, client.ContainerCreateOptions{
		Name: name,
		Config: &container.Config{
			Image: image, Cmd: []string{"sh", "-c", script}, Labels: map[string]string{"from": "test"},
		},
		HostConfig: &container.HostConfig{NetworkMode: "host", Binds: []string{"Data_1:/data"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return created.ID
}

const obedient = `trap 'exit 143' TERM; while :; do sleep 0.1; done`

// seen collects events until one that a test waits for.
func seen(t *testing.T, events <-chan docker.Event, ended <-chan error, last docker.Event) []string {
	t.Helper()
	var actions []string
	for {
		event := next(t, events, ended)
		actions = append(actions, string(event.Kind)+" "+event.Action)
		if event.Kind == last.Kind && event.Action == last.Action && event.ID == last.ID {
			return actions
		}
	}
}

// rig is a real engine with what watches it.
type rig struct {
	cli    *client.Client
	engine docker.API
	events <-chan docker.Event
	ended  <-chan error
}

func TestRealEngine(t *testing.T) {
	daemon := dockertest.Start(t)
	ctx := deadline(t, 2*time.Minute)
	cli, engine := dockertest.Client(t, daemon.Endpoint()), open(t, daemon.Endpoint())
	info := must[docker.Info](t)(engine.Connect(ctx))
	t.Logf("engine %+v", info)
	if info.Version == "" || info.APIVersion == "" || info.OSType != "linux" || info.SystemTime.IsZero() {
		t.Errorf("info: %+v", info)
	}
	events, ended := engine.Events(ctx, info.SystemTime)

	r := rig{cli, engine, events, ended}
	t.Run("images", func(t *testing.T) { r.images(ctx, t) })
	t.Run("containers and volumes", func(t *testing.T) { r.containersAndVolumes(ctx, t) })
	t.Run("hung", func(t *testing.T) {
		daemon.Freeze(t)
		defer daemon.Thaw(t)
		begin := time.Now()
		if _, err := engine.Connect(deadline(t, 200*time.Millisecond)); !docker.IsUnreachable(err) || time.Since(begin) > 5*time.Second {
			t.Errorf("after %s: %v", time.Since(begin), err)
		}
	})

	t.Run("T7 restarted", func(t *testing.T) {
		daemon.Down(t)
		if err := finished(t, ended); !docker.IsUnreachable(err) {
			t.Errorf("the stream ended with: %v", err)
		}
		if _, err := engine.Connect(ctx); !docker.IsUnreachable(err) {
			t.Errorf("down: %v", err)
		}
		daemon.Up(t)
		must[docker.Info](t)(engine.Connect(ctx))
	})
}

func (r rig) images(ctx context.Context, t *testing.T) {
	t.Helper()
	one := dockertest.Import(ctx, t, r.cli, "one:1", "1")
	two := dockertest.Import(ctx, t, r.cli, "two:1", "2")
	if got := seen(t, r.events, r.ended, docker.Event{Kind: "Image", Action: "import", ID: two}); len(got) != 4 {
		t.Errorf("imports: %q", got)
	}
	_, err1 := r.cli.ImageTag(ctx, client.ImageTagOptions{Source: "one:1", Target: "registry.example/one:V2"})
	_, err2 := r.cli.ImageTag(ctx, client.ImageTagOptions{Source: "two:1", Target: "one:1"})
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	listed := must[[]docker.ListedImage](t)(r.engine.ListImages(ctx))
	for _, image := range listed {
		if read := must[[]*containersv1.Image](t)(r.engine.Images(ctx, image.ID)); !image.SameAs(read) {
			t.Errorf("listed as %+v, read as %+v", image, read)
		}
	}
	ids := docker.ImageIDs(listed)
	if len(ids) != 2 || !slices.Contains(ids, one) || !slices.Contains(ids, two) {
		t.Errorf("list: %q", ids)
	}
	for ref, want := range map[string][]string{
		one: {"registry.example/one:V2"}, two: {"one:1", "two:1"}, "one:1": {"one:1", "two:1"},
	} {
		images := must[[]*containersv1.Image](t)(r.engine.Images(ctx, ref))
		var tags []string
		for _, image := range images {
			tags = append(tags, image.Status.RepoTag)
			if s := image.Status; s.CreatedAt == nil || s.OS != "linux" || s.Architecture == "" || s.Size == 0 || s.Labels["n"] == "" {
				t.Errorf("%s: %+v", ref, s)
			}
		}
		if !slices.Equal(tags, want) {
			t.Errorf("%s: %q, want %q", ref, tags, want)
		}
	}
	if err := r.engine.RemoveImage(ctx, "registry.example/one:V2"); err != nil {
		t.Error(err)
	}
	got := seen(t, r.events, r.ended, docker.Event{Kind: "Image", Action: "delete", ID: one})
	if strings.Join(got, ",") != "Image tag,Image tag,Image untag,Image delete" {
		t.Errorf("events: %q", got)
	}
	untagged := dockertest.Import(ctx, t, r.cli, "", "3")
	images := must[[]*containersv1.Image](t)(r.engine.Images(ctx, untagged))
	if len(images) != 1 || images[0].Status.RepoTag != "" || images[0].DisplayName() != untagged {
		t.Errorf("untagged: %+v", images)
	}
	if ids = docker.ImageIDs(must[[]docker.ListedImage](t)(r.engine.ListImages(ctx))); !slices.Contains(ids, untagged) {
		t.Errorf("the untagged image is not in %q", ids)
	}
	if err := r.engine.RemoveImage(ctx, images[0].DisplayName()); err != nil {
		t.Error(err)
	}
	if _, err := r.engine.Images(ctx, untagged); !docker.IsNotFound(err) {
		t.Errorf("gone: %v", err)
	}
}

func (r rig) containersAndVolumes(ctx context.Context, t *testing.T) {
	t.Helper()
	id := create(ctx, t, r.cli, "web", "two:1", obedient)
	got := must[*containersv1.Container](t)(r.engine.Container(ctx, id))
	if s := got.Status; got.Name != id || s.Name != "web" || s.Status != "created" || s.Image != "two:1" || s.Path != "sh" ||
		len(s.Args) != 2 || s.Labels["from"] != "test" || s.CreatedAt == nil || s.StartedAt != nil {
		t.Errorf("created: %+v", got)
	}
	if ids := must[[]string](t)(r.engine.ListContainers(ctx)); !slices.Equal(ids, []string{id}) {
		t.Errorf("list: %q", ids)
	}
	if err := r.engine.RemoveImage(ctx, "two:1"); err != nil {
		t.Errorf("one tag of two: %v", err)
	}
	if err := r.engine.RemoveImage(ctx, "one:1"); !docker.IsConflict(err) || !strings.HasPrefix(err.Error(), "conflict: unable to") {
		t.Errorf("I3: %v", err)
	}
	if err := r.engine.RemoveVolume(ctx, "Data_1"); !docker.IsConflict(err) || !strings.Contains(err.Error(), id) {
		t.Errorf("volume in use: %v", err)
	}
	volumes := must[[]*containersv1.Volume](t)(r.engine.ListVolumes(ctx))
	one := must[*containersv1.Volume](t)(r.engine.Volume(ctx, "Data_1"))
	if len(volumes) != 1 || one.Status.Name != "Data_1" || one.Status.Driver != "local" || one.Status.CreatedAt == nil ||
		!one.Status.CreatedAt.Equal(volumes[0].Status.CreatedAt) {
		t.Errorf("volumes: %+v, %+v", volumes, one)
	}
	if dockertest.CanRun() {
		runs(ctx, t, r.engine, r.cli, id)
	}
	if err := r.engine.RemoveContainer(ctx, id, true); err != nil {
		t.Error(err)
	}
	seen(t, r.events, r.ended, docker.Event{Kind: "Container", Action: "destroy", ID: id})
	if err := errors.Join(r.engine.RemoveVolume(ctx, "Data_1"), r.engine.RemoveImage(ctx, "one:1")); err != nil {
		t.Error(err)
	}
	if _, err := r.engine.Volume(ctx, "Data_1"); !docker.IsNotFound(err) {
		t.Errorf("gone: %v", err)
	}
}

// runs takes a created container through its states.
func runs(ctx context.Context, t *testing.T, engine docker.API, cli *client.Client, id string) {
	t.Helper()
	check := func(what string, err error, want containersv1.ContainerState) {
		t.Helper()
		got := must[*containersv1.Container](t)(engine.Container(ctx, id)).Status
		if err != nil || got.Status != want {
			t.Errorf("%s: %v, %s", what, err, got.Status)
		}
	}
	pause := func() error {
		_, err := cli.ContainerPause(ctx, id, client.ContainerPauseOptions{})
		return err
	}
	check("start", engine.StartContainer(ctx, id), "running")
	check("start again", engine.StartContainer(ctx, id), "running")
	if err := engine.RemoveImage(ctx, "one:1"); !docker.IsConflict(err) {
		t.Errorf("the image of a running container: %v", err)
	}
	if err := engine.RemoveContainer(ctx, id, false); !docker.IsConflict(err) {
		t.Errorf("remove a running one: %v", err)
	}
	check("pause", pause(), "paused")
	check("unpause", engine.UnpauseContainer(ctx, id), "running")
	check("pause again", pause(), "paused")
	check("S4: stop a paused one", engine.StopContainer(ctx, id), "exited")
	check("stop again", engine.StopContainer(ctx, id), "exited")
	check("start at last", engine.StartContainer(ctx, id), "running")
}
