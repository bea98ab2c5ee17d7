package invariant

import (
	"context"
	"errors"
	"time"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// Lasting looks again, with a pause between two looks, until nothing differs or
// ctx ends, and returns the differences that were there at every look: on an
// engine that never rests, what is in flight at one look is done at the next. A
// wish or delete that waits must be older than patience to count.
//
// It returns the error of the last look if there was no look without one.
func Lasting(ctx context.Context, patience, pause time.Duration, look func(context.Context) ([]Difference, error)) ([]Difference, error) {
	var lasting []Difference
	looked := false
	for {
		now, err := look(ctx)
		switch {
		case err == nil && !looked:
			looked, lasting = true, now
		case err == nil:
			lasting = intersection(lasting, now)
		case !looked && ctx.Err() != nil:
			return nil, err
		}
		if looked && len(lasting) == 0 {
			return nil, nil
		}
		select {
		case <-ctx.Done():
			if !looked {
				return nil, errors.Join(err, ctx.Err())
			}
			return impatient(lasting, patience), nil
		case <-time.After(pause):
		}
	}
}

// same tells one difference from another, whatever its values are by now.
type same struct {
	problem     Problem
	kind        containersv1.Kind
	name, field string
}

// intersection is what of now was there before.
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

func impatient(all []Difference, patience time.Duration) []Difference {
	var late []Difference
	for _, d := range all {
		if !d.Pending() || d.Age > patience {
			late = append(late, d)
		}
	}
	return late
}
