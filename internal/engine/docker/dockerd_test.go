//go:build linux

package docker_test

import (
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine/docker"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine/docker/dockertest"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine/enginetest"
)

func TestEngineDockerd(t *testing.T) { conforms(t, dockertest.Start) }

func TestEngineCurrentDockerd(t *testing.T) { conforms(t, dockertest.StartCurrent) }

// conforms runs the suite on one dockerd, which is empty before each rule. The two engines
// share nothing, so their suites run at once.
func conforms(t *testing.T, start func(testing.TB) *dockertest.Daemon) {
	t.Helper()
	if os.Getenv("RDD_TEST_SUITES") == "simulated" {
		t.Skip("RDD_TEST_SUITES=simulated: the suites of real engines run elsewhere")
	}
	t.Parallel()
	if !dockertest.CanRun() {
		t.Skip("no static /bin/busybox to run in containers")
	}
	daemon := start(t)
	info := must[docker.Info](t)(open(t, daemon.Endpoint()).Connect(deadline(t, patience)))
	t.Logf("engine %+v", info)
	enginetest.Run(t, func(t *testing.T) enginetest.Subject {
		f := dockertest.NewFixture(t, daemon.Endpoint())
		f.Stop = func() { daemon.Down(t) }
		f.Start = func() { daemon.Up(t) }
		t.Cleanup(func() {
			if !daemon.IsUp() {
				daemon.Up(t)
			}
			f.Purge()
		})
		dial := docker.Dialer(docker.Settings{}, slog.New(slog.DiscardHandler))
		return enginetest.Subject{Fixture: f, Dial: func() engine.Engine { return must[engine.Engine](t)(dial(daemon.Endpoint())) }}
	})
}

func TestHungDockerdIsUnreachable(t *testing.T) {
	daemon := dockertest.Start(t)
	api := open(t, daemon.Endpoint())
	must[docker.Info](t)(api.Connect(deadline(t, patience)))
	daemon.Freeze(t)
	defer daemon.Thaw(t)
	begin := time.Now()
	if _, err := api.Connect(deadline(t, 200*time.Millisecond)); !docker.IsUnreachable(err) || time.Since(begin) > 5*time.Second {
		t.Errorf("after %s: %v", time.Since(begin), err)
	}
}
