package vm

import (
	"context"

	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// Existing finds an engine of a managed driver that is Present or Broken. It returns
// the spec of that engine, whose Driver is never auto. An error means that no engine
// was found, and that a driver could not be inspected.
func Existing(ctx context.Context, drivers []Driver) (spec messages.VMSpec, found bool, err error) {
	seen, by, err := Find(ctx, drivers)
	spec = seen.Spec
	spec.Driver = by
	return spec, seen.Presence != Absent, err
}
