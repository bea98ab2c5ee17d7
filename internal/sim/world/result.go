package world

import (
	"fmt"
	"strings"
	"time"
)

// Result is the outcome of a run.
type Result struct {
	Seed uint64
	// Hash is the same for two runs in which the same happened at the same times.
	Hash uint64
	// Steps is the number of messages.
	Steps int
	// Converged is how long after the last fault all was well; zero if it never was.
	Converged time.Duration
	// Violated are the laws that were broken; none in a good run.
	Violated []string
	// Counts of what happened, by name.
	Counts map[string]int
	// Failures of actors and dead letters.
	Failures, DeadLetters int
	// end is the end of the trace.
	end []string
}

// reported is how many lines of the trace a report has.
const reported = 40

// Report describes a run that broke a law, and how to repeat it.
func (r Result) Report() string {
	return fmt.Sprintf("seed %d broke a law:\n  %s\nthe end of its trace:\n  %s\nrepeat it with the whole trace: go test -count=1 -run 'TestSimulation$' ./supervisor -seed=%d -v",
		r.Seed, strings.Join(r.Violated, "\n  "), strings.Join(r.end[max(0, len(r.end)-reported):], "\n  "), r.Seed)
}

// String implements fmt.Stringer.
func (r Result) String() string {
	return fmt.Sprintf("steps %d, failures %d, dead letters %d, converged after %s, hash %x, %v",
		r.Steps, r.Failures, r.DeadLetters, r.Converged, r.Hash, r.Counts)
}
