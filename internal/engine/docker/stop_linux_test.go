//go:build linux

package docker_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine/docker"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine/docker/dockertest"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/testkit"
)

// slow says SIGTERM for each one, and ends two seconds after the first.
const slow = `n=-1; trap 'echo SIGTERM; [ $n -gt 0 ] || n=20' TERM; echo ready
while [ $n != 0 ]; do sleep 0.1; n=$((n-1)); done`

// slowContainer is a container that takes its time to stop.
type slowContainer struct {
	cli *client.Client
	id  string
}

func (c slowContainer) output(t *testing.T) string {
	t.Helper()
	logs, err := c.cli.ContainerLogs(t.Context(), c.id, client.ContainerLogsOptions{ShowStdout: true})
	if err != nil {
		t.Fatal(err)
	}
	defer logs.Close()
	return string(must[[]byte](t)(io.ReadAll(logs)))
}

func startSlow(t *testing.T, cli *client.Client) slowContainer {
	t.Helper()
	timeout := 60
	created, err := cli.ContainerCreate(t.Context(), client.ContainerCreateOptions{
		Config:     &container.Config{Image: "one:1", Cmd: []string{"sh", "-c", slow}, StopTimeout: &timeout},
		HostConfig: &container.HostConfig{NetworkMode: "host"},
	})
	if err != nil {
		t.Fatal(err)
	}
	c := slowContainer{cli, created.ID}
	if _, err := cli.ContainerStart(t.Context(), c.id, client.ContainerStartOptions{}); err != nil {
		t.Fatal(err)
	}
	testkit.EventuallyTrue(t, 20*time.Second, "the container to run", func() bool { return strings.Contains(c.output(t), "ready") })
	return c
}

// stopped stops the container to the end and checks that it got one signal.
func (c slowContainer) stopped(t *testing.T, engine docker.API) {
	t.Helper()
	if err := engine.StopContainer(deadline(t, time.Minute), c.id); err != nil {
		t.Fatal(err)
	}
	if got := must[containerStatus](t)(status(t, engine, c.id)); got.state != "exited" || got.code != 0 {
		t.Errorf("it ended as %+v", got)
	}
	if count := strings.Count(c.output(t), "SIGTERM"); count != 1 {
		t.Errorf("it got %d stop signals", count)
	}
}

type containerStatus struct {
	state string
	code  int32
}

func status(t *testing.T, engine docker.API, id string) (containerStatus, error) {
	t.Helper()
	c, err := engine.Container(t.Context(), id)
	if err != nil {
		return containerStatus{}, err
	}
	return containerStatus{string(c.Status.Status), c.Status.ExitCode}, nil
}

// TestStopSignalIsSentOnce is F9: whoever asks again while the engine still stops a
// container waits for that.
func TestStopSignalIsSentOnce(t *testing.T) {
	daemon := dockertest.Start(t)
	if !dockertest.CanRun() {
		t.Skip("containers cannot run here")
	}
	cli := dockertest.Client(t, daemon.Endpoint())
	dockertest.Import(t.Context(), t, cli, "one:1", "1")

	t.Run("the answer was lost", func(t *testing.T) {
		c, engine := startSlow(t, cli), open(t, daemon.Endpoint())
		c.begin(t, engine)
		c.stopped(t, engine)
	})
	t.Run("another process asks", func(t *testing.T) {
		c := startSlow(t, cli)
		c.begin(t, open(t, daemon.Endpoint()))
		c.stopped(t, open(t, daemon.Endpoint()))
	})
}

// begin asks for a stop and gives up once the container has got its signal.
func (c slowContainer) begin(t *testing.T, engine docker.API) {
	t.Helper()
	ctx, cancel := context.WithCancel(deadline(t, time.Minute))
	ended := make(chan error, 1)
	go func() { ended <- engine.StopContainer(ctx, c.id) }()
	testkit.EventuallyTrue(t, 20*time.Second, "the stop signal", func() bool { return strings.Contains(c.output(t), "SIGTERM") })
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Fatalf("StopContainer = %v", err)
	}
}
