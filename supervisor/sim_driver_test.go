package supervisor

import (
	"context"
	"errors"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/actors/vm"
	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/machine"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// simDriver is the driver of a simulated machine.
type simDriver struct{ machine machine.Driver }

var _ vm.Driver = simDriver{}

// machineSpec returns a spec in the terms of the simulation.
func machineSpec(s messages.VMSpec) machine.Spec {
	return machine.Spec{Driver: s.Driver, Endpoint: s.Endpoint, Engine: s.Engine, Subnet: s.Subnet, VM: machine.VM(s.VM)}
}

// specOf returns a spec in the terms of the tree.
func specOf(s machine.Spec) messages.VMSpec {
	return messages.VMSpec{Driver: s.Driver, Endpoint: s.Endpoint, Engine: s.Engine, Subnet: s.Subnet, VM: messages.VMProperties(s.VM)}
}

// Name implements vm.Driver.
func (d simDriver) Name() appv1.DriverName { return d.machine.Name }

// Managed implements vm.Driver.
func (d simDriver) Managed() bool { return d.machine.Managed }

// Available implements vm.Driver.
func (d simDriver) Available(ctx context.Context, _ messages.VMSpec) (string, error) {
	return "it is simulated", d.machine.Available(ctx)
}

// Inspect implements vm.Driver.
func (d simDriver) Inspect(ctx context.Context) (vm.Observed, error) {
	is, err := d.machine.Inspect(ctx)
	return vm.Observed{Presence: vm.Presence(is.Presence), Spec: specOf(is.Spec)}, err
}

// Start implements vm.Driver.
func (d simDriver) Start(ctx context.Context, spec messages.VMSpec, progress func(string)) (string, error) {
	return d.machine.Start(ctx, machineSpec(spec), progress)
}

// StartWithin implements vm.Driver.
func (d simDriver) StartWithin(messages.VMSpec) time.Duration { return time.Minute }

// Wait implements vm.Driver.
func (d simDriver) Wait(ctx context.Context) error { return d.machine.Wait(ctx) }

// Ping implements vm.Driver.
func (d simDriver) Ping(ctx context.Context, _ string) (string, error) {
	return "", d.machine.Ping(ctx)
}

// Repair implements vm.Driver.
func (d simDriver) Repair(context.Context) error {
	return errors.New("simulated: it cannot be repaired")
}

// StopWithin implements vm.Driver.
func (d simDriver) StopWithin() time.Duration { return time.Minute }

// Stop implements vm.Driver.
func (d simDriver) Stop(ctx context.Context, _ func(string)) (string, error) {
	return "", d.machine.Stop(ctx)
}

// Delete implements vm.Driver.
func (d simDriver) Delete(ctx context.Context) error { return d.machine.Stop(ctx) }
