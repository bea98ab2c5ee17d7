package doctor

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/invariant"
)

// State is the outcome of a check.
type State string

// The outcomes.
const (
	OK State = "ok"
	// Finding: the check found a problem. Next says what to do.
	Finding State = "finding"
	// Unchecked: the check could not be made. Text says why.
	Unchecked State = "unchecked"
	// Skipped: there is nothing to check.
	Skipped State = "skipped"
)

// Result is the result of one check.
type Result struct {
	Check string `json:"check"`
	State State  `json:"state"`
	// Text says what was observed.
	Text string `json:"text"`
	// Next says how a user can fix a finding.
	Next string `json:"next,omitempty"`
	// Differences has all differences between engine and mirrors.
	Differences []invariant.Difference `json:"differences,omitempty"`
}

// Report has the results of all checks, in their order.
type Report struct {
	Instance string `json:"instance"`
	Version  string `json:"version"`
	// Time is when the checks began.
	Time time.Time `json:"time"`
	// Healthy is set if every check was made, or had nothing to check, without a finding.
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

// maxShown is the number of differences that Print prints.
const maxShown = 20

// Print writes the report as text: a line for each check, and below a finding what
// to do.
func (r Report) Print(out io.Writer) error {
	var b strings.Builder
	for _, c := range r.Checks {
		fmt.Fprintf(&b, "%-9s %-11s %s\n", c.State, c.Check, strings.ReplaceAll(strings.TrimSpace(c.Text), "\n", "; "))
		for i, d := range c.Differences {
			if i == maxShown {
				fmt.Fprintf(&b, "%21s and %d more; -o json lists all\n", "", len(c.Differences)-maxShown)
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

// conclusion returns the last line of the report.
func (r Report) conclusion() string {
	findings, unchecked := r.count(Finding), r.count(Unchecked)
	switch {
	case findings > 0:
		return fmt.Sprintf("instance %q: %s; 'rdd support-bundle' collects the details for a bug report\n", r.Instance, plural(findings, "finding"))
	case unchecked > 0:
		return fmt.Sprintf("instance %q: no problem was found, but %s could not be made: run 'rdd doctor' again\n",
			r.Instance, plural(unchecked, "check"))
	case r.stopped():
		return fmt.Sprintf("instance %q is not running, and no problem was found\n", r.Instance)
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

// stopped reports whether no daemon was running.
func (r Report) stopped() bool {
	return slices.ContainsFunc(r.Checks, func(c Result) bool { return c.Check == daemonCheck && c.State == Skipped })
}
