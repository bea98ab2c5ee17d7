package app

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// A failed look for an engine puts off the App, so often and, with what a look may
// take and the pauses between them, for a minute at most. Who starts a daemon waits
// for the App, and an engine that is taken for none is stopped.
const (
	looksAtMost = 10
	lookTimeout = 3 * time.Second
)

// lookError says that it could not be looked for an engine.
type lookError struct{ error }

func (e lookError) Unwrap() error { return e.error }

// create makes the App with its defaults, which the API server fills in. looks
// is how often a look has failed; first says that this actor has not
// known an App before.
//
// An engine that lives while there is no App is one whose App was lost, with the
// datastore. It was wished once, and nobody has wished it away: the App is made
// so that it goes on, where the default would stop it and its containers. An App
// that a user deletes under a running daemon begins anew with the defaults.
func (a *app) create(ctx context.Context, looks int, first bool) (*appv1.App, error) {
	obj := &appv1.App{}
	obj.Name = appv1.AppName
	obj.Spec.Namespace = a.Namespace
	if first {
		looking, cancel := context.WithTimeout(ctx, lookTimeout)
		there, found, err := a.Existing(looking)
		cancel()
		switch {
		case err != nil && looks < looksAtMost:
			return nil, lookError{fmt.Errorf("look for an engine that runs already: %w", err)}
		case err != nil:
			a.Logger.Error("whether an engine runs already cannot be said; the App is made with its defaults", "err", err)
		case found:
			a.Logger.Warn("there is no App, but an engine: the App is made so that it goes on", "driver", there.Driver)
			adopt(&obj.Spec, there)
		}
	}
	return obj, a.Kube.Create(ctx, obj)
}

// adopt makes spec ask for the engine that is there.
func adopt(spec *appv1.AppSpec, there messages.VMSpec) {
	spec.Running = true
	spec.ContainerEngine.Name = there.Engine
	spec.VM = appv1.VM{
		Driver: there.Driver, CPUs: int32(there.VM.CPUs), Memory: quantity(there.VM.Memory), Disk: quantity(there.VM.Disk),
		Image: there.VM.Image, Acceleration: there.VM.Acceleration, Restart: there.VM.Restart, Reset: there.VM.Reset,
	}
}

// quantity is the other way of bytes.
func quantity(n int64) *resource.Quantity {
	if n == 0 {
		return nil
	}
	return resource.NewQuantity(n, resource.BinarySI)
}
