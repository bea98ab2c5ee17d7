//go:build linux

package dockersim_test

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/events"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/dockersim"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine/docker"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine/docker/dockertest"
)

// stage runs the play on one engine and records the results, with names in place of the
// engine's IDs.
type stage struct {
	ctx context.Context
	cli *client.Client
	// failStart makes each start of a container fail; nil on a real engine, where its
	// program is missing.
	failStart func(id string) error
	engine    docker.API
	ids       map[string]string // name in the play to ID
	tape      []string
	runs      int // how often the container was started
}

// TestConformance runs the same commands on the simulated engine and on a real one, and
// compares answers, events and mirrors word by word. The suite of enginetest does not see
// the events, nor the commands that rdd does not use. RDD_TEST_DOCKER_HOST may name a
// running engine of API 1.41; its other objects are not changed.
func TestConformance(t *testing.T) {
	endpoint := os.Getenv("RDD_TEST_DOCKER_HOST")
	if endpoint == "" {
		endpoint = dockertest.Start(t).Endpoint()
	}
	if !dockertest.CanRun() {
		t.Skip("no static /bin/busybox to run in containers")
	}
	if apiVersion(t, dockertest.Client(t, endpoint)) != "1.41" {
		t.Skip("the simulated engine follows API 1.41, this one speaks another")
	}
	want := perform(t, endpoint, nil)
	sim := dockersim.Start(t)
	got := perform(t, sim.Endpoint(), func(id string) error { return sim.SetStartError(id, missing) })
	for i := range want {
		if want[i] != got[i] {
			t.Errorf("step %d\nreal:\n%s\nsimulated:\n%s", i, want[i], got[i])
		}
	}
	t.Logf("%d steps", len(want))
}

func apiVersion(t *testing.T, cli *client.Client) string {
	t.Helper()
	ping, err := cli.Ping(t.Context(), client.PingOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return ping.APIVersion
}

func perform(t *testing.T, endpoint string, failStart func(string) error) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	engine, err := docker.Dial(endpoint)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = engine.Close() }()
	s := &stage{ctx: ctx, cli: dockertest.Client(t, endpoint), engine: engine, ids: make(map[string]string), failStart: failStart}
	var steps []string
	for _, step := range play(t) {
		s.tape = nil
		s.perform(t, step)
		steps = append(steps, strings.Join(s.tape, "\n"))
	}
	return steps
}

// step is one command of the play.
type step struct {
	name string
	do   func(*stage) error
}

// perform does one step and records its error, its events, and the mirrors.
func (s *stage) perform(t *testing.T, step step) {
	t.Helper()
	info, err := s.engine.Connect(s.ctx)
	if err != nil {
		t.Fatal(err)
	}
	err = step.do(s)
	s.note(step.name + ": " + class(err) + " " + text(err))
	for _, event := range s.eventsSince(t, info.SystemTime.Add(time.Microsecond)) {
		attributes := make([]string, 0, len(event.Actor.Attributes))
		keys := []string{"name", "image", "exitCode", "signal", "oldName", "driver"}
		if event.Type == events.NetworkEventType {
			// The real container is on the network of the host.
			event.Actor.ID, keys = "", []string{"container"}
		}
		for _, key := range keys {
			if value, ok := event.Actor.Attributes[key]; ok {
				attributes = append(attributes, key+"="+value)
			}
		}
		s.note(fmt.Sprintf("   %s %s %s %s", event.Type, event.Action, event.Actor.ID, strings.Join(attributes, " ")))
	}
	s.noteMirrors(t)
}

// eventsSince returns all events up to now. An event may follow the answer to its
// command, so a marker shows that the last one was sent.
func (s *stage) eventsSince(t *testing.T, since time.Time) []events.Message {
	t.Helper()
	const marker = "conformance-marker"
	if _, err := s.cli.VolumeCreate(s.ctx, client.VolumeCreateOptions{Name: marker}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(s.ctx)
	defer cancel()
	stream := s.cli.Events(ctx, client.EventsListOptions{
		Since:   fmt.Sprintf("%d.%09d", since.Unix(), since.Nanosecond()),
		Filters: make(client.Filters).Add("type", "container", "image", "volume", "network"),
	})
	var out []events.Message
	for {
		select {
		case event := <-stream.Messages:
			if event.Actor.ID == marker {
				return out
			}
			out = append(out, event)
		case err := <-stream.Err:
			t.Fatal(err)
		}
	}
}

// container reads a container.
func (s *stage) container(id string) (*containersv1.Container, error) {
	mirrors, err := s.engine.Inspect(s.ctx, containersv1.KindContainer, id)
	if err != nil {
		return nil, err
	}
	return mirrors[0].(*containersv1.Container), nil
}

// noteMirrors records the mirrors of the play's objects.
func (s *stage) noteMirrors(t *testing.T) {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(s.ids)) {
		id := s.ids[name]
		if strings.HasPrefix(id, "sha256:") {
			images, err := s.engine.Inspect(s.ctx, containersv1.KindImage, id)
			if err != nil {
				s.note(fmt.Sprintf("   %s: %s", name, class(err)))
				continue
			}
			for _, m := range images {
				image := m.(*containersv1.Image)
				s.note(fmt.Sprintf("   %s: %q %v %v", name, image.Status.RepoTag, image.Status.Labels, image.Status.RepoDigests))
			}
			continue
		}
		c, err := s.container(id)
		if err != nil {
			s.note(fmt.Sprintf("   %s: %s", name, class(err)))
			continue
		}
		st := c.Status
		s.note(fmt.Sprintf("   %s: %s %q image=%s exit=%d error=%t pid=%t started=%t finished=%t labels=%v ports=%d reason=%q mounts=%v networks=%v policy=%v",
			name, st.Status, st.Name, st.Image, st.ExitCode, st.Error != "", st.PID != 0, st.StartedAt != nil, st.FinishedAt != nil, st.Labels, len(st.Ports),
			st.ExitReason, st.Mounts, st.Networks, st.RestartPolicy))
	}
}

func (s *stage) note(line string) {
	for name, id := range s.ids {
		bare := strings.TrimPrefix(id, "sha256:")
		line = strings.NewReplacer(id, name, bare, name, bare[:12], name).Replace(line)
	}
	s.tape = append(s.tape, line)
}

func class(err error) string {
	switch {
	case err == nil:
		return "done"
	case errdefs.IsNotFound(err):
		return "not found"
	case errdefs.IsConflict(err):
		return "conflict"
	case errdefs.IsInvalidArgument(err):
		return "invalid"
	default:
		return "failed"
	}
}

// text is an error's message.
func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// create makes a container that uses a volume and exposes a port.
func (s *stage) create(name, image string, command ...string) error {
	if len(command) == 0 {
		command = []string{"sh", "-c", obedient}
	}
	created, err := s.cli.ContainerCreate(s.ctx, client.ContainerCreateOptions{
		Name: name,
		Config: &container.Config{
			Image: image, Cmd: command, Labels: map[string]string{"who": name},
			ExposedPorts: network.PortSet{network.MustParsePort("53/udp"): {}},
		},
		HostConfig: &container.HostConfig{NetworkMode: "host", Binds: []string{"conformance-data:/data"}},
	})
	if err == nil {
		s.ids["<"+name+">"] = created.ID
	}
	return err
}

func (s *stage) imported(t *testing.T, name, ref, n string) error {
	t.Helper()
	s.ids["<"+name+">"] = dockertest.Import(s.ctx, t, s.cli, ref, n)
	return nil
}
