package docker_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/dockersim"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine/docker"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/testkit"
)

// serve answers with fixed bodies, as an engine of API 1.41.
func serve(t *testing.T, socket string, bodies map[string]string) {
	t.Helper()
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Api-Version", "1.41")
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, bodies[strings.TrimPrefix(r.URL.Path, "/v1.41")])
	})}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
}

// next waits for an event.
func next(t *testing.T, events <-chan docker.Event, ended <-chan error) docker.Event {
	t.Helper()
	select {
	case event := <-events:
		return event
	case err := <-ended:
		t.Fatalf("the stream ended: %v", err)
	case <-time.After(patience):
		t.Fatal("no event")
	}
	return docker.Event{}
}

// finished waits for the end of a stream.
func finished(t *testing.T, ended <-chan error) error {
	t.Helper()
	select {
	case err := <-ended:
		if err == nil {
			t.Error("the stream ended without a reason")
		}
		return err
	case <-time.After(patience):
		t.Fatal("the stream does not end")
		return nil
	}
}

// Row E2.
func TestEventsSinceUsesEngineClock(t *testing.T) {
	sim, engine, ctx := setup(t)
	sim.SetClockOffset(-time.Hour)
	sim.AddVolume("before")
	info := must[docker.Info](t)(engine.Connect(ctx))
	sim.AddVolume("between")
	events, ended := engine.Events(ctx, info.SystemTime)
	if got := next(t, events, ended); got.ID != "between" || got.Kind != containersv1.KindVolume || got.Action != "create" {
		t.Errorf("got %+v", got)
	}
	image := sim.AddImage("app:1")
	id := sim.AddContainerSpec(dockersim.ContainerSpec{Name: "web", Image: "app:1", Volumes: []string{"between"}})
	if err := errors.Join(sim.StartContainer(id), sim.Die(id, 3)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []struct {
		kind   containersv1.Kind
		action string
		id     string
	}{
		{"Image", "tag", image}, {"Image", "import", image}, {"Volume", "create", "between"},
		{"Container", "create", id}, {"Container", "network connect", id}, {"Container", "start", id}, {"Container", "die", id},
		{"Container", "network disconnect", id}, {"Container", "volume unmount", id},
	} {
		if got := next(t, events, ended); got.Kind != want.kind || got.Action != want.action || got.ID != want.id {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
}

func TestEventsEndWithError(t *testing.T) {
	for name, end := range map[string]func(*dockersim.Engine, docker.API, context.CancelFunc) error{
		"the engine closes the stream": func(sim *dockersim.Engine, _ docker.API, _ context.CancelFunc) error {
			sim.CloseStreams()
			return nil
		},
		"T7 the engine restarts": func(sim *dockersim.Engine, _ docker.API, _ context.CancelFunc) error {
			return sim.Restart()
		},
		"the context ends": func(_ *dockersim.Engine, _ docker.API, cancel context.CancelFunc) error {
			cancel()
			return nil
		},
		"the connection is closed": func(_ *dockersim.Engine, engine docker.API, _ context.CancelFunc) error {
			return engine.Close()
		},
	} {
		t.Run(name, func(t *testing.T) {
			sim, engine, ctx := setup(t)
			ctx, cancel := context.WithCancel(ctx)
			defer cancel()
			_, ended := engine.Events(ctx, sim.Now())
			testkit.EventuallyTrue(t, patience, "both streams to open", func() bool { return sim.Streams() == 2 })
			if err := end(sim, engine, cancel); err != nil {
				t.Fatal(err)
			}
			err := finished(t, ended)
			if strings.HasPrefix(name, "the context") != errors.Is(err, context.Canceled) {
				t.Errorf("reason: %v", err)
			}
			if strings.HasPrefix(name, "the context") == docker.IsUnreachable(err) {
				t.Errorf("unreachable? %v", err)
			}
			testkit.EventuallyTrue(t, patience, "both streams to close", func() bool { return sim.Streams() == 0 })
			select {
			case err := <-ended:
				t.Errorf("a second value: %v", err)
			default:
			}
		})
	}
}

func TestEventsOfRefusingEngineEnd(t *testing.T) {
	sim, engine, ctx := setup(t)
	if err := sim.Refuse(); err != nil {
		t.Fatal(err)
	}
	_, ended := engine.Events(ctx, time.Time{})
	if err := finished(t, ended); !docker.IsUnreachable(err) {
		t.Errorf("got %v", err)
	}
}

func TestEventsOfHungEngineReturn(t *testing.T) {
	sim, engine, _ := setup(t)
	sim.Freeze()
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	begin := time.Now()
	_, ended := engine.Events(ctx, time.Time{})
	if took := time.Since(begin); took > time.Second {
		t.Errorf("took %s", took)
	}
	if err := finished(t, ended); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

func TestEventsSkipIrrelevantEvents(t *testing.T) {
	sim, engine, ctx := setup(t)
	info := must[docker.Info](t)(engine.Connect(ctx))
	events, ended := engine.Events(ctx, info.SystemTime)
	sim.Emit("container", "exec_start: sh", "c", nil)
	sim.Emit("volume", "mount", "v", nil)
	sim.Emit("container", "levitate", "c", nil)
	if got := next(t, events, ended); got.Action != "levitate" {
		t.Errorf("got %+v", got)
	}
}
