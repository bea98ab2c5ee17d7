package dockersim_test

import (
	"fmt"
	"log/slog"
	"testing"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/dockersim"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine/docker"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine/docker/dockertest"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine/enginetest"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine/memory"
)

// loader loads images, of which the simulated engine has no content.
type loader struct {
	*dockertest.Fixture

	sim *dockersim.Engine
}

func (l loader) SaveImage(tag string) []byte { return []byte(tag) }

// ImportLargeImage needs no content either.
func (l loader) ImportLargeImage(tag string, size int) string {
	return l.sim.AddImageSpec(dockersim.ImageSpec{Tags: []string{tag}, Size: int64(size)})
}

// MakeBuildCache needs no build.
func (l loader) MakeBuildCache() {
	first := l.sim.AddBuildCache(memory.BuildCacheSpec{Description: "COPY one /one", Size: 10})
	l.sim.AddBuildCache(memory.BuildCacheSpec{Description: "COPY two /two", Size: 10, Parent: first})
}

func (l loader) LoadImage(archive []byte) { l.sim.Load(string(archive)) }

func TestEngineOverHTTP(t *testing.T) {
	enginetest.Run(t, func(t *testing.T) enginetest.Subject {
		t.Parallel()
		sim := dockersim.Start(t)
		must := func(err error) {
			if err != nil {
				t.Fatal(err)
			}
		}
		f := dockertest.NewFixture(t, sim.Endpoint())
		f.Created = func(id string, c enginetest.Container) {
			must(sim.SetStopDelay(id, c.StopDelay))
			if c.StopDelay > 0 {
				must(sim.WriteLog(id, memory.Stdout, "ready\n"))
			}
			if c.FailsToStart {
				must(sim.SetStartError(id, "exec: no such file"))
			}
		}
		f.Crash = func(id string) { must(sim.Crash(id, 1)) }
		f.Probe = func(id string, exitCode int, output string) { must(sim.Probe(id, exitCode, output)) }
		registries := 0
		f.Registry = func(spec enginetest.Registry) string {
			registry := memory.RegistrySpec{Password: spec.Password, Hangs: spec.Hangs}
			if spec.Password != "" {
				registry.Username = enginetest.RegistryUser
			}
			registries++
			host := fmt.Sprintf("127.0.0.1:%d", 5000+registries)
			sim.AddRegistry(host, registry)
			return host
		}
		f.Stop = func() { must(sim.Refuse()); sim.Stop() }
		f.Start = func() { must(sim.Accept()) }
		dial := docker.Dialer(docker.Settings{}, slog.New(slog.DiscardHandler))
		return enginetest.Subject{Fixture: loader{f, sim}, Dial: func() engine.Engine {
			e, err := dial(sim.Endpoint())
			must(err)
			return e
		}}
	})
}
