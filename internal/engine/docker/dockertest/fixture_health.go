package dockertest

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine/enginetest"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/testkit"
)

// probeScript prints what a test has written, and succeeds if the test has said so.
const probeScript = `/bin/busybox cat /probe/output; /bin/busybox test -e /probe/ok`

// addProbes gives a container a health check that reads a directory of the host.
func (f *Fixture) addProbes(config *container.Config, host *container.HostConfig, dir string) {
	f.tb.Helper()
	f.check("write the output of probes", os.WriteFile(filepath.Join(dir, "output"), nil, 0o600))
	host.Binds = append(host.Binds, dir+":/probe:ro")
	config.Healthcheck = &container.HealthConfig{
		Test: []string{"CMD", busybox, "sh", "-c", probeScript}, Interval: 300 * time.Millisecond, Retries: enginetest.HealthRetries,
	}
}

// SetHealth implements enginetest.Fixture.
func (f *Fixture) SetHealth(id string, healthy bool, output string) {
	f.tb.Helper()
	if f.Probe != nil {
		exitCode := 1
		if healthy {
			exitCode = 0
		}
		for range enginetest.HealthRetries {
			f.Probe(id, exitCode, output)
		}
		return
	}
	ok, want := filepath.Join(f.probes[id], "ok"), containersv1.HealthUnhealthy
	f.check("write the output of probes", os.WriteFile(filepath.Join(f.probes[id], "output"), []byte(output), 0o600))
	if healthy {
		want = containersv1.HealthHealthy
		f.check("make probes succeed", os.WriteFile(ok, nil, 0o600))
	} else if err := os.Remove(ok); !errors.Is(err, fs.ErrNotExist) {
		f.check("make probes fail", err)
	}
	testkit.EventuallyTrue(f.tb, fixtureTimeout, "the container to be "+string(want), func() bool {
		c, err := f.cli.ContainerInspect(f.tb.Context(), id, client.ContainerInspectOptions{})
		f.check("inspect container", err)
		h := c.Container.State.Health
		return h != nil && string(h.Status) == string(want) && len(h.Log) > 0 && h.Log[len(h.Log)-1].Output == shown(output)
	})
}

// shown returns the output of a probe as the engine stores it.
func shown(output string) string {
	const limit = 4096
	if len(output) > limit {
		return output[:limit] + "..."
	}
	return output
}
