package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

const (
	// shownSteps limits the steps that are printed with a violation.
	shownSteps = 40
	// shownReasons limits the reasons of a violation in the summary.
	shownReasons = 10
)

// bundleTimeout is longer than 'rdd support-bundle' ever takes.
const bundleTimeout = time.Minute

// violation is a round in which rdd broke a promise.
type violation struct {
	round round
	wrong []string
}

// repeat returns the arguments that repeat the plan of a round.
func (c *chaos) repeat(r round) string {
	return fmt.Sprintf("-seed %d -first %d -rounds 1", c.seed, r.number)
}

// violation prints what is wrong, and saves what helps to find the cause.
func (c *chaos) violation(ctx context.Context, r round, wrong []string) {
	c.results.violations = append(c.results.violations, violation{r, wrong})
	fmt.Fprintf(c.out, "VIOLATION in round %d of seed %d: %s\n  %s\n", r.number, c.seed, r, strings.Join(wrong, "\n  "))
	c.ledger.mu.Lock()
	steps := slices.Clone(c.ledger.steps)
	c.ledger.mu.Unlock()
	fmt.Fprintf(c.out, "the last steps:\n  %s\n", strings.Join(steps[max(0, len(steps)-shownSteps):], "\n  "))
	dir := filepath.Join(c.options.out, fmt.Sprintf("%d-%d", c.seed, r.number))
	if err := c.save(ctx, dir, wrong, steps); err != nil {
		fmt.Fprintf(c.out, "the report is incomplete: %v\n", err)
	}
	fmt.Fprintf(c.out, "details are in %s; repeat the plan with %s\n", dir, c.repeat(r))
}

// save writes steps, requests, the engine's log and a support bundle to a directory.
func (c *chaos) save(ctx context.Context, dir string, wrong, steps []string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("create a directory for the report: %w", err)
	}
	var changes strings.Builder
	for _, change := range c.recorder.all() {
		fmt.Fprintf(&changes, "%s %s %s: %d after %s\n", change.began.UTC().Format("15:04:05.000"), change.method, change.path,
			change.status, change.ended.Sub(change.began).Round(time.Millisecond))
	}
	files := map[string]string{
		"violations.txt": strings.Join(wrong, "\n") + "\n",
		"steps.txt":      strings.Join(steps, "\n") + "\n",
		"requests.txt":   changes.String(),
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return fmt.Errorf("write the report: %w", err)
		}
	}
	if err := copyFile(filepath.Join(dir, "dockerd.log"), c.dockerd.Log()); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, bundleTimeout)
	defer cancel()
	_, err := c.daemon.Run(ctx, "support-bundle", filepath.Join(dir, "bundle.tar.gz"))
	return err
}

func copyFile(to, from string) error {
	source, err := os.Open(from)
	if err != nil {
		return fmt.Errorf("copy a log: %w", err)
	}
	defer source.Close()
	target, err := os.Create(to)
	if err != nil {
		return fmt.Errorf("copy a log: %w", err)
	}
	defer target.Close()
	if _, err := io.Copy(target, source); err != nil {
		return fmt.Errorf("copy a log: %w", err)
	}
	return nil
}

// summary prints the results of all rounds.
func (c *chaos) summary() {
	r := c.results
	if len(r.took) == 0 {
		return
	}
	sorted := slices.Sorted(slices.Values(r.took))
	fmt.Fprintf(c.out, "%d rounds, %d with violations; converged in %.2f s (median), %.2f s (most)\n",
		len(r.took), len(r.violations), sorted[len(sorted)/2].Seconds(), sorted[len(sorted)-1].Seconds())
	fmt.Fprintf(c.out, "%d operations, %d acknowledged changes of desired state, actions and deletes: %d applied, %d refused, %d superseded, %d removed with the mirrors of an engine that was away\n",
		c.ledger.operations, c.ledger.acknowledgements, r.tally.applied, r.tally.refused, r.tally.superseded, r.tally.removed)
	fmt.Fprintf(c.out, "%d requests for objects, images and prunes, while the daemon was killed %d times: %d complete, %d failed\n",
		r.complete+r.failed, c.ledger.killed, r.complete, r.failed)
	fmt.Fprintf(c.out, "%d requests of the daemon to the engine, all with a reason unless reported above; %d containers ended with their engine\n",
		len(c.recorder.all()), c.ledger.ended)
	if bursts := c.ledger.bursts; len(bursts) > 0 {
		slices.Sort(bursts)
		fmt.Fprintf(c.out, "%d bursts, of %d to %d events\n", len(bursts), bursts[0], bursts[len(bursts)-1])
	}
	fmt.Fprintf(c.out, "daemon: %d MB and %d goroutines after the first round, %d MB and %d at most, %d MB and %d at the end\n",
		r.first.RSS>>20, r.first.Goroutines, r.biggest.RSS>>20, r.biggest.Goroutines, r.last.RSS>>20, r.last.Goroutines)
	for _, v := range r.violations {
		fmt.Fprintf(c.out, "VIOLATION in round %d (%s): %s\n  %s\n", v.round.number, c.repeat(v.round), v.round,
			strings.Join(v.wrong[:min(len(v.wrong), shownReasons)], "\n  "))
	}
}
