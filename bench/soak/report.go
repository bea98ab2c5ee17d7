package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"text/tabwriter"
	"time"
)

const summaryFile = "summary.json"

// summary is what is kept of a run beside its samples.
type summary struct {
	Began   time.Time     `json:"began"`
	Quarter time.Duration `json:"quarterNanoseconds"`
	Tally   *tally        `json:"operations"`
}

// writeSummary replaces the summary.
func (s *soak) writeSummary() error {
	s.tally.mu.Lock()
	defer s.tally.mu.Unlock()
	text, err := json.MarshalIndent(summary{s.began, s.quarter, s.tally}, "", "  ")
	if err != nil {
		return fmt.Errorf("write the summary: %w", err)
	}
	if err := os.WriteFile(filepath.Join(s.out, summaryFile), text, 0o600); err != nil {
		return fmt.Errorf("write the summary: %w", err)
	}
	return nil
}

// report judges, prints and draws the results in a directory.
func report(o options, out io.Writer) error {
	text, err := os.ReadFile(filepath.Join(o.out, summaryFile))
	if err != nil {
		return fmt.Errorf("read the summary: %w", err)
	}
	var s summary
	if err := json.Unmarshal(text, &s); err != nil {
		return fmt.Errorf("read the summary: %w", err)
	}
	samples, err := readSamples(filepath.Join(o.out, samplesFile))
	if err != nil {
		return err
	}
	verdicts, err := judge(samples, s.Quarter)
	if err != nil {
		return err
	}
	if err := printVerdicts(out, verdicts); err != nil {
		return err
	}
	s.Tally.print(out)
	return errors.Join(failures(verdicts, s.Tally), draw(o.plots, samples))
}

// printVerdicts prints a table.
func printVerdicts(out io.Writer, verdicts []verdict) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "daemon\tmeasure\tquarter 1\t2\t3\t4\tlimit\t")
	for _, v := range verdicts {
		limit, result := "", ""
		if v.measure.judged() {
			limit = fmt.Sprintf("%.1f", v.measure.limit(v.quarters[1]))
		}
		if !v.passed() {
			result = "TOO HIGH"
		}
		q := v.quarters
		fmt.Fprintf(table, "%s\t%s\t%.1f\t%.1f\t%.1f\t%.1f\t%s\t%s\n", v.daemon, v.measure.name(), q[0], q[1], q[2], q[3], limit, result)
	}
	return table.Flush()
}

// print prints the counts.
func (t *tally) print(out io.Writer) {
	for _, group := range []struct {
		title  string
		counts map[string]int
	}{{"operations", t.Done}, {"expected errors, during restarts", t.Expected}, {"unexpected errors", t.Unexpected}} {
		total := 0
		for _, count := range group.counts {
			total += count
		}
		fmt.Fprintf(out, "\n%s: %d\n", group.title, total)
		for _, name := range slices.Sorted(maps.Keys(group.counts)) {
			fmt.Fprintf(out, "  %7d  %s\n", group.counts[name], name)
		}
	}
	for _, example := range t.Examples {
		fmt.Fprintln(out, "  "+example)
	}
}

// failures returns an error that names what has grown, and counts the unexpected errors.
func failures(verdicts []verdict, t *tally) error {
	var errs []error
	for _, v := range verdicts {
		if !v.passed() {
			errs = append(errs, fmt.Errorf("%s of daemon %s: %.1f in the second quarter, and %.1f in the last one; the limit is %.1f",
				v.measure.name(), v.daemon, v.quarters[1], v.quarters[3], v.measure.limit(v.quarters[1])))
		}
	}
	if len(t.Unexpected) > 0 {
		errs = append(errs, fmt.Errorf("there were unexpected errors: %v", t.Unexpected))
	}
	return errors.Join(errs...)
}
