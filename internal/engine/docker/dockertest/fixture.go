package dockertest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine/enginetest"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/testkit"
)

// fixtureTimeout bounds each wait of a fixture.
const fixtureTimeout = 30 * time.Second

// Fixture prepares an engine through moby's client, for the suite of enginetest.
type Fixture struct {
	// Created is called with each new container, before it is started. It may be nil.
	Created func(id string, c enginetest.Container)
	// Crash ends the process of a container that is restarted after that. On a real
	// engine, which does that itself, it is nil.
	Crash func(id string)
	// Probe runs a probe of a health check. On a real engine, which does that itself, it is
	// nil.
	Probe func(id string, exitCode int, output string)
	// Stop and Start are StopEngine and StartEngine.
	Stop, Start func()
	// Registry is StartRegistry; nil starts a real one.
	Registry func(enginetest.Registry) (host string)

	tb    testing.TB
	cli   *client.Client
	since time.Time
	specs map[string]enginetest.Container
	// probes are the directories that the health checks of containers read.
	probes map[string]string
}

// NewFixture returns a fixture of the engine at an endpoint.
func NewFixture(tb testing.TB, endpoint string) *Fixture {
	tb.Helper()
	return &Fixture{tb: tb, cli: Client(tb, endpoint), since: time.Now().Add(-time.Second), specs: map[string]enginetest.Container{}, probes: map[string]string{}}
}

func (f *Fixture) check(doing string, err error) {
	f.tb.Helper()
	if err != nil {
		f.tb.Fatalf("%s: %v", doing, err)
	}
}

// busybox is the program that containers run.
const busybox = "/bin/busybox"

// slowScript ends at the second stop signal, or some time after the first.
const slowScript = `n=-1; trap '[ $n -lt 0 ] && n=TENTHS || exit 1' TERM; echo ready
while [ $n != 0 ]; do /bin/busybox sleep 0.1; n=$((n-1)); done; exit 143`

// CreateContainer implements enginetest.Fixture. A container without a stop delay ends
// at once: its stop signal is SIGKILL.
func (f *Fixture) CreateContainer(c enginetest.Container) string {
	f.tb.Helper()
	config := &container.Config{Image: c.Image, Cmd: []string{busybox, "sleep", "86400"}, StopSignal: "SIGKILL", Volumes: map[string]struct{}{}, Labels: c.Labels}
	host := &container.HostConfig{NetworkMode: "none", AutoRemove: c.AutoRemove, Binds: []string{busybox + ":" + busybox + ":ro"}}
	switch {
	case c.FailsToStart:
		config.Cmd = []string{"/bin/missing"}
	case c.Crashes:
		config.Cmd, host.RestartPolicy.Name = []string{busybox, "false"}, container.RestartPolicyAlways
	case c.StopDelay > 0:
		tenths := strconv.FormatInt(c.StopDelay.Milliseconds()/100, 10)
		config.Cmd, config.StopSignal = []string{busybox, "sh", "-c", strings.ReplaceAll(slowScript, "TENTHS", tenths)}, ""
	}
	if c.Script != "" {
		config.Cmd = []string{busybox, "sh", "-c", c.Script}
	}
	config.Tty, config.OpenStdin = c.TTY, c.OpenStdin
	if c.Network != "" {
		host.NetworkMode = container.NetworkMode(c.Network)
	}
	probes := ""
	if c.Probed {
		probes = f.tb.TempDir()
		f.addProbes(config, host, probes)
	}
	for _, name := range c.Volumes {
		if name == "" {
			config.Volumes["/anonymous"] = struct{}{}
		} else {
			host.Binds = append(host.Binds, name+":/"+name)
		}
	}
	created, err := f.cli.ContainerCreate(f.tb.Context(), client.ContainerCreateOptions{Name: c.Name, Config: config, HostConfig: host})
	f.check("create container "+c.Name, err)
	f.specs[created.ID], f.probes[created.ID] = c, probes
	if f.Created != nil {
		f.Created(created.ID, c)
	}
	return created.ID
}

// StartContainer implements enginetest.Fixture.
func (f *Fixture) StartContainer(id string) {
	f.tb.Helper()
	_, err := f.cli.ContainerStart(f.tb.Context(), id, client.ContainerStartOptions{})
	f.check("start container", err)
	switch c := f.specs[id]; {
	case c.StopDelay > 0:
		testkit.EventuallyTrue(f.tb, fixtureTimeout, "the container to be ready", func() bool { return f.isReady(id) })
	case c.Crashes && f.Crash != nil:
		f.Crash(id)
	case c.Crashes:
		testkit.EventuallyTrue(f.tb, fixtureTimeout, "the container to wait for its restart", func() bool { return f.waitsForRestart(id) })
	}
}

// waitsForRestart reports whether the engine pauses, for 400 ms or longer, before it
// restarts a container.
func (f *Fixture) waitsForRestart(id string) bool {
	f.tb.Helper()
	c, err := f.cli.ContainerInspect(f.tb.Context(), id, client.ContainerInspectOptions{})
	f.check("inspect container", err)
	const failures = 2 // each doubles the pause
	return c.Container.RestartCount >= failures && c.Container.State.Restarting
}

// isReady reports whether a slow container handles signals. Created writes that for the
// engine in memory.
func (f *Fixture) isReady(id string) bool {
	f.tb.Helper()
	logs, err := f.cli.ContainerLogs(f.tb.Context(), id, client.ContainerLogsOptions{ShowStdout: true})
	f.check("read the logs of a container", err)
	defer func() { _ = logs.Close() }()
	text, err := io.ReadAll(logs)
	f.check("read the logs of a container", err)
	return strings.Contains(string(text), "ready")
}

// StopContainer implements enginetest.Fixture.
func (f *Fixture) StopContainer(id string) {
	f.tb.Helper()
	_, err := f.cli.ContainerStop(f.tb.Context(), id, client.ContainerStopOptions{})
	f.check("stop container", err)
}

// KillContainer implements enginetest.Fixture.
func (f *Fixture) KillContainer(id string) {
	f.tb.Helper()
	_, err := f.cli.ContainerKill(f.tb.Context(), id, client.ContainerKillOptions{})
	f.check("kill container", err)
	testkit.EventuallyTrue(f.tb, fixtureTimeout, "the end of a killed container", func() bool {
		c, err := f.cli.ContainerInspect(f.tb.Context(), id, client.ContainerInspectOptions{})
		return errdefs.IsNotFound(err) || err == nil && !c.Container.State.Running
	})
}

// PauseContainer implements enginetest.Fixture.
func (f *Fixture) PauseContainer(id string) {
	f.tb.Helper()
	_, err := f.cli.ContainerPause(f.tb.Context(), id, client.ContainerPauseOptions{})
	f.check("pause container", err)
}

// UnpauseContainer implements enginetest.Fixture.
func (f *Fixture) UnpauseContainer(id string) {
	f.tb.Helper()
	_, err := f.cli.ContainerUnpause(f.tb.Context(), id, client.ContainerUnpauseOptions{})
	f.check("unpause container", err)
}

// RenameContainer implements enginetest.Fixture.
func (f *Fixture) RenameContainer(id, name string) {
	f.tb.Helper()
	_, err := f.cli.ContainerRename(f.tb.Context(), id, client.ContainerRenameOptions{NewName: name})
	f.check("rename container", err)
}

// RemoveContainer implements enginetest.Fixture.
func (f *Fixture) RemoveContainer(id string) {
	f.tb.Helper()
	_, err := f.cli.ContainerRemove(f.tb.Context(), id, client.ContainerRemoveOptions{Force: true})
	f.check("remove container", err)
}

// CommitContainer implements enginetest.Fixture.
func (f *Fixture) CommitContainer(id string) string {
	f.tb.Helper()
	image, err := f.cli.ContainerCommit(f.tb.Context(), id, client.ContainerCommitOptions{})
	f.check("commit container", err)
	return image.ID
}

// StopSignals implements enginetest.Fixture.
func (f *Fixture) StopSignals(id string) (n int) {
	f.tb.Helper()
	ctx, cancel := context.WithTimeout(f.tb.Context(), fixtureTimeout)
	defer cancel()
	now := time.Now()
	stream := f.cli.Events(ctx, client.EventsListOptions{
		Since: strconv.FormatInt(f.since.Unix(), 10), Until: fmt.Sprintf("%d.%09d", now.Unix(), now.Nanosecond()),
		Filters: make(client.Filters).Add("type", "container").Add("container", id).Add("event", "kill"),
	})
	for {
		select {
		case m := <-stream.Messages:
			if m.Actor.Attributes["signal"] == "15" {
				n++
			}
		case err := <-stream.Err:
			if !errors.Is(err, io.EOF) {
				f.check("read events", err)
			}
			return n
		}
	}
}

// StartRegistry implements enginetest.Fixture.
func (f *Fixture) StartRegistry(spec enginetest.Registry) string {
	f.tb.Helper()
	if f.Registry != nil {
		return f.Registry(spec)
	}
	return StartRegistry(f.tb, spec)
}

// StopEngine implements enginetest.Fixture.
func (f *Fixture) StopEngine() { f.Stop() }

// StartEngine implements enginetest.Fixture.
func (f *Fixture) StartEngine() { f.Start() }
