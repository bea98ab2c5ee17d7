package figures

import (
	"math"
	"slices"
)

// Percentile returns the smallest of the values that p percent of them do not
// exceed (the nearest-rank definition), so it is always a value that was
// measured. p is in 0 to 100; NaN when there are no values.
func Percentile(values []float64, p float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	// Rounded first, so that 0.99*300 is the 297th and not the 298th.
	rank := int(math.Ceil(math.Round(p*float64(len(sorted))*1e6) / 1e8))
	return sorted[min(max(rank, 1), len(sorted))-1]
}

// Ratio returns the baseline's value divided by measured's. It is NaN when one of
// them is missing; a measured zero makes it +Inf, or NaN for two zeros.
func Ratio(measured, baseline float64) float64 { return baseline / measured }

// Step is a point of a cumulative distribution.
type Step struct {
	Value float64
	// Share of values that are not greater, in (0, 1].
	Share float64
}

// Distribution returns the cumulative distribution of the values, one step for
// each different value.
func Distribution(values []float64) []Step {
	sorted := slices.Sorted(slices.Values(values))
	var steps []Step
	for i, value := range sorted {
		if i+1 < len(sorted) && sorted[i+1] == value {
			continue
		}
		steps = append(steps, Step{Value: value, Share: float64(i+1) / float64(len(sorted))})
	}
	return steps
}
