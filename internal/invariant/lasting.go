package invariant

import (
	"context"
	"errors"
	"time"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// Lasting repeats a check, with pauses, until it finds no difference or ctx ends. It
// returns the differences that every check found: on a busy engine, a change in
// progress at one check is complete at the next. A pending difference counts only if
// it is older than patience.
//
// It returns the error of the last check if all checks failed.
func Lasting(ctx context.Context, patience, pause time.Duration, check func(context.Context) ([]Difference, error)) ([]Difference, error) {
	var lasting []Difference
	checked := false
	for {
		now, err := check(ctx)
		switch {
		case err == nil && !checked:
			checked, lasting = true, now
		case err == nil:
			lasting = intersection(lasting, now)
		case !checked && ctx.Err() != nil:
			return nil, err
		}
		if checked && len(lasting) == 0 {
			return nil, nil
		}
		select {
		case <-ctx.Done():
			if !checked {
				return nil, errors.Join(err, ctx.Err())
			}
			return impatient(lasting, patience), nil
		case <-time.After(pause):
		}
	}
}

// same identifies a difference whose values may change.
type same struct {
	problem     Problem
	kind        containersv1.Kind
	name, field string
}

// intersection returns the differences of now that are also in before.
func intersection(before, now []Difference) []Difference {
	known := map[same]bool{}
	for _, d := range before {
		known[same{d.Problem, d.Kind, d.Name, d.Field}] = true
	}
	var both []Difference
	for _, d := range now {
		if known[same{d.Problem, d.Kind, d.Name, d.Field}] {
			both = append(both, d)
		}
	}
	return both
}

// impatient returns the differences that are not pending, or pending for too long.
func impatient(all []Difference, patience time.Duration) []Difference {
	var late []Difference
	for _, d := range all {
		if !d.Pending() || d.Age > patience {
			late = append(late, d)
		}
	}
	return late
}
