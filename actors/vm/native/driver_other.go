//go:build !linux

package native

import (
	"context"
	"errors"
	"runtime"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/actors/vm"
	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// Driver implements vm.Driver on systems that cannot run containers. It finds and
// removes nothing, and its other methods return errSystem.
type Driver struct{}

var _ vm.Driver = (*Driver)(nil)

// errSystem returns the reason why the driver cannot work.
func errSystem() error {
	return errors.New("vm.driver=native needs Linux, and this is " + runtime.GOOS + ": run 'rdd set vm.driver=lima', or use an existing engine with vm.driver=external")
}

// New returns the driver.
func New(Config) *Driver { return &Driver{} }

// Name implements vm.Driver.
func (d *Driver) Name() appv1.DriverName { return appv1.DriverNative }

// Managed implements vm.Driver.
func (d *Driver) Managed() bool { return true }

// Available implements vm.Driver.
func (d *Driver) Available(context.Context, messages.VMSpec) (string, error) {
	return "", errSystem()
}

// Inspect implements vm.Driver.
func (d *Driver) Inspect(context.Context) (vm.Observed, error) {
	return vm.Observed{Presence: vm.Absent}, nil
}

// Start implements vm.Driver.
func (d *Driver) Start(context.Context, messages.VMSpec, func(string)) (string, error) {
	return "", errSystem()
}

// StartWithin implements vm.Driver.
func (d *Driver) StartWithin(messages.VMSpec) time.Duration { return 0 }

// Wait implements vm.Driver.
func (d *Driver) Wait(context.Context) error { return errSystem() }

// Ping implements vm.Driver.
func (d *Driver) Ping(context.Context, string) (string, error) { return "", errSystem() }

// Stop implements vm.Driver.
func (d *Driver) Stop(context.Context, func(string)) (string, error) { return "", nil }

// Repair implements vm.Driver.
func (d *Driver) Repair(context.Context) error { return errSystem() }

// StopWithin implements vm.Driver.
func (d *Driver) StopWithin() time.Duration { return 0 }

// Delete implements vm.Driver.
func (d *Driver) Delete(context.Context) error { return nil }
