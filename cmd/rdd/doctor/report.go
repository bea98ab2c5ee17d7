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
	// Skipped: it could not be looked at, because of what another look found, or
	// because there is nothing to look at.
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
	// Healthy is whether there was no finding.
	Healthy bool     `json:"healthy"`
	Checks  []Result `json:"checks"`
}

func ok(format string, args ...any) Result {
	return Result{State: OK, Text: fmt.Sprintf(format, args...)}
}

func skipped(format string, args ...any) Result {
	return Result{State: Skipped, Text: fmt.Sprintf(format, args...)}
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
	findings := 0
	for _, c := range r.Checks {
		fmt.Fprintf(&b, "%-8s %-11s %s\n", c.State, c.Check, strings.ReplaceAll(strings.TrimSpace(c.Text), "\n", "; "))
		for i, d := range c.Differences {
			if i == shown {
				fmt.Fprintf(&b, "%20s and %d more; -o json has them all\n", "", len(c.Differences)-shown)
				break
			}
			fmt.Fprintf(&b, "%20s %s\n", "", d)
		}
		if c.State == Finding {
			findings++
			if c.Next != "" {
				fmt.Fprintf(&b, "%20s → %s\n", "", c.Next)
			}
		}
	}
	switch findings {
	case 0:
		text := "is healthy"
		if r.stopped() {
			text = "does not run, and nothing about it is wrong"
		}
		fmt.Fprintf(&b, "instance %q %s\n", r.Instance, text)
	case 1:
		fmt.Fprintf(&b, "instance %q: 1 finding; 'rdd support-bundle' collects what a report about it needs\n", r.Instance)
	default:
		fmt.Fprintf(&b, "instance %q: %d findings; 'rdd support-bundle' collects what a report about them needs\n", r.Instance, findings)
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// stopped is whether there was no daemon to look at.
func (r Report) stopped() bool {
	return slices.ContainsFunc(r.Checks, func(c Result) bool { return c.Check == daemonCheck && c.State == Skipped })
}
