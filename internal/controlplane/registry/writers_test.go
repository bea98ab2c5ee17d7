package registry_test

import (
	"context"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	hubhome "github.com/rancher-sandbox/rancher-desktop-daemon/internal/hub/home"
)

// writer has the writes of the daemon.
type writer interface {
	Create(context.Context, containersv1.Mirror) (containersv1.Mirror, error)
	UpdateStatus(context.Context, containersv1.Mirror) (containersv1.Mirror, error)
	CompleteAction(context.Context, containersv1.Mirror) (containersv1.Mirror, error)
	Claim(context.Context, containersv1.Mirror) (containersv1.Mirror, error)
	Remove(context.Context, containersv1.Mirror) (containersv1.Mirror, error)
}

// The daemon writes mirrors over HTTP to a hub, and otherwise with the registry. Both must
// have the same results.
var _ writer = (*hubhome.Mirrors)(nil)
