// Package external is the driver for an engine that rdd does not own: Docker of the
// system, of another machine, or of another tool. It never starts, stops or changes
// anything.
//
// Reading map: driver.go implements the driver, endpoint.go finds the endpoint.
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

// answerWithin is how long an engine can take to answer.
const answerWithin = 30 * time.Second

// Driver implements vm.Driver.
type Driver struct {
	lookup
}

var _ vm.Driver = (*Driver)(nil)

// New returns the driver. Each Start reads the daemon's environment and the user's
// Docker configuration again. own is the endpoint of rdd's own engine, which is never
// used as an external one.
func New(own string) *Driver {
	home, err := os.UserHomeDir()
	if err != nil {
		home = "/"
	}
	return &Driver{lookup{getenv: os.Getenv, home: home, own: own}}
}

// lookup finds endpoints.
type lookup struct {
	getenv func(string) string
	home   string
	// own is the endpoint of rdd's own engine.
	own string
}

// configDir returns the directory of the Docker CLI's configuration.
func (l lookup) configDir() string {
	if dir := l.getenv("DOCKER_CONFIG"); dir != "" {
		return dir
	}
	return filepath.Join(l.home, ".docker")
}

// Name implements vm.Driver.
func (d *Driver) Name() appv1.DriverName { return appv1.DriverExternal }

// Managed implements vm.Driver. rdd does not own the engine.
func (d *Driver) Managed() bool { return false }

// Available implements vm.Driver. It checks that an engine answers at the endpoint.
func (d *Driver) Available(ctx context.Context, spec messages.VMSpec) (string, error) {
	if spec.Engine != "" && spec.Engine != appv1.EngineMoby {
		return "", fmt.Errorf("an external engine must be Docker (moby), not %s: run 'rdd set containerEngine.name=moby'", spec.Engine)
	}
	if spec.Settings != "" {
		return "", errors.New("rdd does not configure an external engine: set vm.driver=native or lima, or remove the settings of containerEngine")
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
	return fmt.Sprintf("an engine answers at %s, from %s", endpoint, from), nil
}

// Inspect implements vm.Driver. It never finds an engine.
func (d *Driver) Inspect(context.Context) (vm.Observed, error) {
	return vm.Observed{Presence: vm.Absent}, nil
}

// StartWithin implements vm.Driver.
func (d *Driver) StartWithin(messages.VMSpec) time.Duration { return answerWithin }

// Start implements vm.Driver. It finds the endpoint and checks that Docker answers.
func (d *Driver) Start(ctx context.Context, spec messages.VMSpec, progress func(string)) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	endpoint, from, err := d.endpoint(spec)
	if err != nil {
		return "", err
	}
	progress(fmt.Sprintf("connecting to the engine at %s, from %s", endpoint, from))
	if err := probe.Ping(ctx, endpoint); err != nil {
		return "", fmt.Errorf("%w (the endpoint comes from %s; rdd does not start an external engine)", err, from)
	}
	if err := probe.Docker(ctx, endpoint); err != nil {
		return "", fmt.Errorf("%w (the endpoint comes from %s)", err, from)
	}
	return endpoint, nil
}

// Wait implements vm.Driver. The driver knows no process. Health checks and the
// engine's session detect when the engine ends.
func (d *Driver) Wait(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

// Ping implements vm.Driver.
func (d *Driver) Ping(ctx context.Context, endpoint string) (note string, err error) {
	return "", probe.Ping(ctx, endpoint)
}

// Stop implements vm.Driver. It does nothing.
func (d *Driver) Stop(context.Context, func(string)) (string, error) { return "", nil }

// Repair implements vm.Driver.
func (d *Driver) Repair(context.Context) error {
	return vm.Permanent(errors.New("rdd does not repair an external engine"))
}

// StopWithin implements vm.Driver.
func (d *Driver) StopWithin() time.Duration { return 0 }

// Delete implements vm.Driver. The driver never created anything.
func (d *Driver) Delete(context.Context) error { return nil }
