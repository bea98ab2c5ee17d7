package vm

import (
	"context"
	"errors"
	"fmt"
	"time"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// choice is the driver for a spec, and the reason for it.
type choice struct {
	driver Driver
	reason string
}

// refusal is the error of a choice when no driver can bring up a spec now.
type refusal struct{ error }

func (r refusal) Unwrap() error { return r.error }

// isRefusal reports whether an error is a refusal, and not a timeout.
func isRefusal(err error) bool {
	return errors.As(err, new(refusal)) && !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, context.Canceled)
}

// choose chooses the driver for a spec. kept is the driver of an engine that runs
// already, or empty. It is kept if the spec allows it, even if it could not start
// another engine.
//
// Otherwise auto uses the driver that has the user's containers: preferred, or the
// one whose data was used last. If there is none, auto uses the first available
// driver, in the configured order. The error of a failed choice has the reason of
// every driver that was tried.
func choose(ctx context.Context, drivers []Driver, spec messages.VMSpec, kept, preferred appv1.DriverName) (choice, error) {
	auto := spec.Driver == appv1.DriverAuto || spec.Driver == ""
	for _, d := range drivers {
		if d.Name() == kept && (auto || kept == spec.Driver) {
			return choice{d, fmt.Sprintf("kept %s: its engine was already running", kept)}, nil
		}
	}
	if !auto {
		return chooseNamed(ctx, drivers, spec)
	}
	if preferred == "" {
		var err error
		if preferred, err = lastUsed(ctx, drivers); err != nil {
			return choice{}, err
		}
	}
	for _, d := range drivers {
		if d.Name() == preferred && d.Managed() {
			return choosePreferred(ctx, d, spec)
		}
	}
	return chooseFirst(ctx, drivers, spec)
}

// choosePreferred chooses the driver that has the containers of this instance.
// Another driver would start an engine without them.
func choosePreferred(ctx context.Context, d Driver, spec messages.VMSpec) (choice, error) {
	reason, err := d.Available(ctx, spec)
	if err != nil {
		return choice{d, ""}, refusal{fmt.Errorf("driver %s has the images, containers and volumes of this instance, but cannot be used: %w: fix the cause, or start without them with another driver, such as 'rdd set vm.driver=%s'", d.Name(), err, alternative(d.Name()))}
	}
	return choice{d, fmt.Sprintf("auto keeps %s, which has the containers of this instance: %s", d.Name(), reason)}, nil
}

// alternative returns a driver other than name.
func alternative(name appv1.DriverName) appv1.DriverName {
	if name == appv1.DriverLima {
		return appv1.DriverNative
	}
	return appv1.DriverLima
}

// chooseFirst chooses the first available driver. A driver whose check times out, or whose
// engine refuses the user's settings, ends the choice: otherwise a slow machine or a typing
// error would get another engine.
func chooseFirst(ctx context.Context, drivers []Driver, spec messages.VMSpec) (choice, error) {
	var failed []error
	for i, d := range drivers {
		reason, err := d.Available(ctx, spec)
		if err == nil {
			return choice{d, fmt.Sprintf("auto picked %s: %s", d.Name(), reason)}, nil
		}
		failed = append(failed, fmt.Errorf("%s: %w", d.Name(), err))
		if IsPermanent(err) {
			return choice{}, refusal{errors.Join(failed...)}
		}
		if err := errors.Join(failed...); d.Managed() && !isRefusal(refusal{err}) {
			err = fmt.Errorf("the check of a driver timed out, and rdd retries: %w", err)
			if i+1 < len(drivers) {
				err = fmt.Errorf("%w; to use another driver now: 'rdd set vm.driver=%s'", err, drivers[i+1].Name())
			}
			return choice{}, err
		}
	}
	return choice{}, refusal{fmt.Errorf("no driver can run an engine here: %w", errors.Join(failed...))}
}

// lastUsed returns the managed driver whose data was used last. It is empty if no
// driver has data.
func lastUsed(ctx context.Context, drivers []Driver) (appv1.DriverName, error) {
	var last appv1.DriverName
	var used time.Time
	for _, d := range drivers {
		if !d.Managed() {
			continue
		}
		seen, err := d.Inspect(ctx)
		if err != nil {
			return "", fmt.Errorf("inspect the data of driver %s: %w", d.Name(), err)
		}
		if seen.Used.After(used) {
			last, used = d.Name(), seen.Used
		}
	}
	return last, nil
}

// chooseNamed chooses the driver that the spec names.
func chooseNamed(ctx context.Context, drivers []Driver, spec messages.VMSpec) (choice, error) {
	for _, d := range drivers {
		if d.Name() != spec.Driver {
			continue
		}
		reason, err := d.Available(ctx, spec)
		if err != nil {
			return choice{d, ""}, refusal{fmt.Errorf("driver %s: %w", d.Name(), err)}
		}
		return choice{d, reason}, nil
	}
	return choice{}, refusal{fmt.Errorf("this rdd has no driver %q: choose another one, such as 'rdd set vm.driver=auto'", spec.Driver)}
}

// Find inspects all managed drivers and returns the engine that it finds. It changes
// nothing, and needs no actor. A Present engine takes precedence over a Broken one. An
// error of one driver does not hide an engine of another.
func Find(ctx context.Context, drivers []Driver) (Observed, appv1.DriverName, error) {
	best := Observed{Presence: Absent}
	var by appv1.DriverName
	var failed []error
	for _, d := range drivers {
		if !d.Managed() {
			continue
		}
		seen, err := d.Inspect(ctx)
		switch {
		case err != nil:
			failed = append(failed, fmt.Errorf("inspect the engine of driver %s: %w", d.Name(), err))
		case seen.Presence == Present && best.Presence != Present,
			seen.Presence == Broken && best.Presence == Absent:
			best, by = seen, d.Name()
		}
	}
	if best.Presence != Absent {
		return best, by, nil
	}
	return best, by, errors.Join(failed...)
}
