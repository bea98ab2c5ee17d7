package doctor

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/invariant"
)

// State is the outcome of a look.
type State string

// The outcomes.
const (
	OK State = "ok"
	// Finding: something is wrong, and Next says what to do.
	Finding State = "finding"
	// Unchecked: there is something to check and it could not be, so that nothing
	// is known about it. Text says why.
	Unchecked State = "unchecked"
	// Skipped: there is nothing to check.
	Skipped State = "skipped"
)

// Result is what one look brought.
type Result struct {
	Check string `json:"check"`
	State State  `json:"state"`
	// Text says what was seen.
	Text string `json:"text"`
	// Next says what a user can do about a finding.
	Next string `json:"next,omitempty"`
	// Differences between engine and mirrors, all of them.
	Differences []invariant.Difference `json:"differences,omitempty"`
}

// Report is what all looks brought, in their order.
type Report struct {
	Instance string `json:"instance"`
	Version  string `json:"version"`
	// Time of the examination, by the clock of this machine.
	Time time.Time `json:"time"`
	// Healthy is whether all that there is was checked, without a finding.
	Healthy bool     `json:"healthy"`
	Checks  []Result `json:"checks"`
}

func ok(format string, args ...any) Result {
	return Result{State: OK, Text: fmt.Sprintf(format, args...)}
}

func skipped(format string, args ...any) Result {
	return Result{State: Skipped, Text: fmt.Sprintf(format, args...)}
}

func unchecked(format string, args ...any) Result {
	return Result{State: Unchecked, Text: fmt.Sprintf(format, args...)}
}

func finding(next, format string, args ...any) Result {
	return Result{State: Finding, Text: fmt.Sprintf(format, args...), Next: next}
}

// shown is how many differences are printed for a person.
const shown = 20

// Print writes the report for a person: a line for each look, and below it what
// to do.
func (r Report) Print(out io.Writer) error {
	var b strings.Builder
	for _, c := range r.Checks {
		fmt.Fprintf(&b, "%-9s %-11s %s\n", c.State, c.Check, strings.ReplaceAll(strings.TrimSpace(c.Text), "\n", "; "))
		for i, d := range c.Differences {
			if i == shown {
				fmt.Fprintf(&b, "%21s and %d more; -o json has them all\n", "", len(c.Differences)-shown)
				break
			}
			fmt.Fprintf(&b, "%21s %s\n", "", d)
		}
		if c.State == Finding && c.Next != "" {
			fmt.Fprintf(&b, "%21s → %s\n", "", c.Next)
		}
	}
	b.WriteString(r.conclusion())
	_, err := io.WriteString(out, b.String())
	return err
}

// conclusion is the report's last line.
func (r Report) conclusion() string {
	findings, unchecked := r.count(Finding), r.count(Unchecked)
	switch {
	case findings > 0:
		return fmt.Sprintf("instance %q: %s; 'rdd support-bundle' collects what a report needs\n", r.Instance, plural(findings, "finding"))
	case unchecked > 0:
		return fmt.Sprintf("instance %q: nothing is known to be wrong, but %s could not be done: run 'rdd doctor' again\n",
			r.Instance, plural(unchecked, "check"))
	case r.stopped():
		return fmt.Sprintf("instance %q does not run, and nothing about it is wrong\n", r.Instance)
	default:
		return fmt.Sprintf("instance %q is healthy\n", r.Instance)
	}
}

func (r Report) count(state State) int {
	count := 0
	for _, c := range r.Checks {
		if c.State == state {
			count++
		}
	}
	return count
}

// stopped is whether there was no daemon to look at.
func (r Report) stopped() bool {
	return slices.ContainsFunc(r.Checks, func(c Result) bool { return c.Check == daemonCheck && c.State == Skipped })
}
