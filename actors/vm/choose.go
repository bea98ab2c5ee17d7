package vm

import (
	"context"
	"errors"
	"fmt"
	"time"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// choice is the driver that carries out a spec, and why it does.
type choice struct {
	driver Driver
	reason string
}

// refusal is the error of a choice: no driver can carry out a spec as things are.
type refusal struct{ error }

func (r refusal) Unwrap() error { return r.error }

// isRefusal is whether an error is an answer, and not a question that nobody
// answered in time.
func isRefusal(err error) bool {
	return errors.As(err, new(refusal)) && !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, context.Canceled)
}

// choose picks the driver for a spec. The driver whose engine is there already
// (kept, may be empty) stays if the spec allows it, even when it could not start
// another one. Else auto stays with the driver that has the user's containers:
// the one that ran last (stay, may be empty), or whose data was used last. Only
// where there is none it takes the first that is available, in the order in which
// the drivers were configured. The error of a failed choice names the reason of
// every driver that was asked.
func choose(ctx context.Context, drivers []Driver, spec messages.VMSpec, kept, stay appv1.DriverName) (choice, error) {
	auto := spec.Driver == appv1.DriverAuto || spec.Driver == ""
	for _, d := range drivers {
		if d.Name() == kept && (auto || kept == spec.Driver) {
			return choice{d, fmt.Sprintf("kept %s: its engine was already there", kept)}, nil
		}
	}
	if !auto {
		return chooseNamed(ctx, drivers, spec)
	}
	if stay == "" {
		var err error
		if stay, err = lastUsed(ctx, drivers); err != nil {
			return choice{}, err
		}
	}
	for _, d := range drivers {
		if d.Name() == stay && d.Managed() {
			return chooseStay(ctx, d, spec)
		}
	}
	return chooseFirst(ctx, drivers, spec)
}

// chooseStay goes on with a driver that has containers of this instance. Another
// one would come up without them, which nobody has asked for.
func chooseStay(ctx context.Context, d Driver, spec messages.VMSpec) (choice, error) {
	reason, err := d.Available(ctx, spec)
	if err != nil {
		return choice{d, ""}, refusal{fmt.Errorf("driver %s, with which auto stays since the images, containers and volumes of this instance are there: %w; to begin without them, choose another driver, as with 'rdd set vm.driver=%s'", d.Name(), err, another(d.Name()))}
	}
	return choice{d, fmt.Sprintf("auto stays with %s, which has the containers of this instance: %s", d.Name(), reason)}, nil
}

// another is an example of a driver that is not the one named.
func another(name appv1.DriverName) appv1.DriverName {
	if name == appv1.DriverLima {
		return appv1.DriverNative
	}
	return appv1.DriverLima
}

// chooseFirst takes the first that is available. A question that was not answered
// in time is no answer: to go on to the next driver for it would bring up another
// engine whenever the machine is slow.
func chooseFirst(ctx context.Context, drivers []Driver, spec messages.VMSpec) (choice, error) {
	var failed []error
	for i, d := range drivers {
		reason, err := d.Available(ctx, spec)
		if err == nil {
			return choice{d, fmt.Sprintf("auto picked %s: %s", d.Name(), reason)}, nil
		}
		failed = append(failed, fmt.Errorf("%s: %w", d.Name(), err))
		if err := errors.Join(failed...); d.Managed() && !isRefusal(refusal{err}) {
			err = fmt.Errorf("it was not found out in time which driver can run an engine here, and rdd asks again: %w", err)
			if i+1 < len(drivers) {
				err = fmt.Errorf("%w; another one can be chosen now, with 'rdd set vm.driver=%s'", err, drivers[i+1].Name())
			}
			return choice{}, err
		}
	}
	return choice{}, refusal{fmt.Errorf("no driver can run an engine here: %w", errors.Join(failed...))}
}

// lastUsed returns the managed driver whose data was used last; empty when none
// has any.
func lastUsed(ctx context.Context, drivers []Driver) (appv1.DriverName, error) {
	var last appv1.DriverName
	var used time.Time
	for _, d := range drivers {
		if !d.Managed() {
			continue
		}
		seen, err := d.Inspect(ctx)
		if err != nil {
			return "", fmt.Errorf("look for the data of driver %s: %w", d.Name(), err)
		}
		if seen.Used.After(used) {
			last, used = d.Name(), seen.Used
		}
	}
	return last, nil
}

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
	return choice{}, refusal{fmt.Errorf("this rdd has no driver %q; choose another one with 'rdd set vm.driver=auto'", spec.Driver)}
}

// find looks for an engine of any managed driver. What is Present goes before
// what is Broken; an error of one driver does not hide an engine of another.
func find(ctx context.Context, drivers []Driver) (Observed, appv1.DriverName, error) {
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
			failed = append(failed, fmt.Errorf("look for the engine of driver %s: %w", d.Name(), err))
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
