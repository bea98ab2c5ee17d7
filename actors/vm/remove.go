package vm

import (
	"context"
	"errors"
	"fmt"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
)

// Stop stops the engines of all managed drivers when no daemon runs. It waits for
// their containers without a limit. It tries every driver, and joins the errors.
// progress gets what a stop is waiting for, and note the note of each driver.
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

// Delete stops the engines of all managed drivers and removes everything that the
// drivers created, when no daemon runs. It tries every driver, and joins the errors.
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
