package app

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engineconfig"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/mounts"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// A failed probe for a running engine delays the creation of the App. With maxProbes,
// probeTimeout and the pauses between them this takes a minute at most: the start of the
// daemon waits for the App, and without a probe the engine would be stopped.
const (
	maxProbes    = 10
	probeTimeout = 3 * time.Second
)

// probeError is the failure of a probe for a running engine.
type probeError struct{ error }

func (e probeError) Unwrap() error { return e.error }

// create creates the App. The API server sets its defaults. Probes is how many probes
// have failed; first is set when this actor has not seen an App before.
//
// If an engine runs while there is no App, the App was lost with the datastore: the new
// one describes this engine, where the default would stop it and its containers. An App
// that a user deletes while the daemon runs is created with the defaults.
func (a *app) create(ctx context.Context, probes int, first bool) (*appv1.App, error) {
	obj := &appv1.App{}
	obj.Name = appv1.AppName
	obj.Spec.Namespace = a.Namespace
	if first {
		probing, cancel := context.WithTimeout(ctx, probeTimeout)
		running, found, err := a.Existing(probing)
		cancel()
		switch {
		case err != nil && probes < maxProbes:
			return nil, probeError{fmt.Errorf("search for a running engine: %w", err)}
		case err != nil:
			a.Logger.Error("the search for a running engine failed too often: the App is created with its defaults", "err", err)
		case found:
			a.Logger.Warn("an engine runs although there is no App: the App is created with this engine", "driver", running.Driver)
			if err := adopt(&obj.Spec, running); err != nil {
				a.Logger.Error("the App is created without the settings of the running engine", "err", err)
			}
		}
	}
	return obj, a.Kube.Create(ctx, obj)
}

// adopt sets spec to the engine that runs. A field of the running engine that it does not
// copy has its default in the new App, and the difference stops the engine.
func adopt(spec *appv1.AppSpec, running messages.VMSpec) error {
	spec.Running = true
	spec.ContainerEngine = appv1.ContainerEngine{Name: running.Engine, Subnet: running.Subnet}
	spec.VM = appv1.VM{
		Driver: running.Driver, Endpoint: running.Endpoint,
		CPUs: int32(running.VM.CPUs), Memory: quantity(running.VM.Memory), Disk: quantity(running.VM.Disk),
		Image: running.VM.Image, Acceleration: running.VM.Acceleration, Restart: running.VM.Restart, Reset: running.VM.Reset,
	}
	if running.VM != (messages.VMProperties{}) {
		spec.VM.Mounts = mounts.Texts(running.VM.Mounts)
	}
	settings, err := engineconfig.Decode(running.Settings)
	if err != nil {
		return err
	}
	return settings.Into(&spec.ContainerEngine)
}

// quantity returns n bytes as a quantity; nil for the default. It is the inverse of bytes.
func quantity(n int64) *resource.Quantity {
	if n == 0 {
		return nil
	}
	return resource.NewQuantity(n, resource.BinarySI)
}
