package vm

import (
	"context"
	"errors"
	"fmt"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
)

// Stop stops the engines of all managed drivers, for a caller with no daemon
// running, however long their containers take. Every driver is tried; the errors
// are joined. progress is sent what a stop waits for, and note, called for each
// driver that has one, what a user should know.
func Stop(ctx context.Context, drivers []Driver, progress func(string), note func(appv1.DriverName, string)) error {
	return forManaged(drivers, "stop", func(d Driver) error {
		ctx, cancel := boundStop(ctx, d)
		defer cancel()
		text, err := d.Stop(ctx, progress)
		if text != "" {
			note(d.Name(), text)
		}
		return err
	})
}

// Delete stops the engines of all managed drivers and removes everything that
// the drivers ever made, for a caller with no daemon running. Every driver is
// tried; the errors are joined.
func Delete(ctx context.Context, drivers []Driver) error {
	return forManaged(drivers, "delete", func(d Driver) error { return d.Delete(ctx) })
}

func forManaged(drivers []Driver, verb string, do func(Driver) error) error {
	var failed []error
	for _, d := range drivers {
		if !d.Managed() {
			continue
		}
		if err := do(d); err != nil {
			failed = append(failed, fmt.Errorf("%s the engine of driver %s: %w", verb, d.Name(), err))
		}
	}
	return errors.Join(failed...)
}
