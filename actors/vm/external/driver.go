// Package external is the driver for an engine that is already there and that
// rdd does not own: Docker of the system, of another machine, of another tool.
//
// It never starts, stops or changes anything. It exists as a driver so that the
// VM actor need not know the difference.
package external

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/actors/vm"
	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/probe"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// answerWithin is how long an engine that is there gets to answer.
const answerWithin = 30 * time.Second

// Driver implements vm.Driver.
type Driver struct {
	lookup
}

var _ vm.Driver = (*Driver)(nil)

// New returns the driver. It reads the daemon's environment and the user's
// Docker configuration at each Start, so that a change takes effect then. own is
// the endpoint of rdd's own engine, which is never an external one.
func New(own string) *Driver {
	home, err := os.UserHomeDir()
	if err != nil {
		home = "/"
	}
	return &Driver{lookup{getenv: os.Getenv, home: home, own: own}}
}

// lookup is where endpoints are looked for.
type lookup struct {
	getenv func(string) string
	home   string
	// own is rdd's own engine.
	own string
}

// configDir is the directory of the Docker CLI's configuration.
func (l lookup) configDir() string {
	if dir := l.getenv("DOCKER_CONFIG"); dir != "" {
		return dir
	}
	return filepath.Join(l.home, ".docker")
}

// Name implements vm.Driver.
func (d *Driver) Name() appv1.DriverName { return appv1.DriverExternal }

// Managed implements vm.Driver: the engine is never rdd's.
func (d *Driver) Managed() bool { return false }

// Available implements vm.Driver: an endpoint is known and an engine answers there.
func (d *Driver) Available(ctx context.Context, spec messages.VMSpec) (string, error) {
	if spec.Engine != "" && spec.Engine != appv1.EngineMoby {
		return "", fmt.Errorf("an external engine must be Docker (moby), not %s; run 'rdd set containerEngine.name=moby'", spec.Engine)
	}
	endpoint, from, err := d.endpoint(spec)
	if err != nil {
		return "", err
	}
	if err := probe.Ping(ctx, endpoint); err != nil {
		return "", fmt.Errorf("%s: %w", from, err)
	}
	if err := probe.Docker(ctx, endpoint); err != nil {
		return "", fmt.Errorf("%s: %w", from, err)
	}
	return fmt.Sprintf("an engine answers at %s, named by %s", endpoint, from), nil
}

// Inspect implements vm.Driver. An engine that is not rdd's is never found.
func (d *Driver) Inspect(context.Context) (vm.Observed, error) {
	return vm.Observed{Presence: vm.Absent}, nil
}

// StartWithin implements vm.Driver.
func (d *Driver) StartWithin(messages.VMSpec) time.Duration { return answerWithin }

// Start implements vm.Driver: it finds the endpoint and asks which engine answers.
func (d *Driver) Start(ctx context.Context, spec messages.VMSpec, progress func(string)) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	endpoint, from, err := d.endpoint(spec)
	if err != nil {
		return "", err
	}
	progress(fmt.Sprintf("asking the engine at %s, named by %s", endpoint, from))
	if err := probe.Ping(ctx, endpoint); err != nil {
		return "", fmt.Errorf("%w (the endpoint comes from %s; rdd does not start an external engine)", err, from)
	}
	if err := probe.Docker(ctx, endpoint); err != nil {
		return "", fmt.Errorf("%w (the endpoint comes from %s)", err, from)
	}
	return endpoint, nil
}

// Wait implements vm.Driver. There is no process to watch: health checks and the
// engine's session find out when the engine goes.
func (d *Driver) Wait(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

// Ping implements vm.Driver.
func (d *Driver) Ping(ctx context.Context, endpoint string) (note string, err error) {
	return "", probe.Ping(ctx, endpoint)
}

// Stop implements vm.Driver: the engine is left alone.
func (d *Driver) Stop(context.Context, func(string)) (string, error) { return "", nil }

// Repair implements vm.Driver.
func (d *Driver) Repair(context.Context) error {
	return errors.New("rdd does not repair an engine that is not its own")
}

// StopWithin implements vm.Driver.
func (d *Driver) StopWithin() time.Duration { return 0 }

// Delete implements vm.Driver: the driver never made anything.
func (d *Driver) Delete(context.Context) error { return nil }
