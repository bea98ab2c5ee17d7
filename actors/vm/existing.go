package vm

import (
	"context"

	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// Existing looks for an engine of any managed driver that lives already, or of
// which something does, and returns the spec that would have brought it up; its
// Driver is never auto. An error says that nothing was found and that somewhere
// nobody could look.
func Existing(ctx context.Context, drivers []Driver) (spec messages.VMSpec, found bool, err error) {
	seen, by, err := find(ctx, drivers)
	spec = seen.Spec
	spec.Driver = by
	return spec, seen.Presence != Absent, err
}
