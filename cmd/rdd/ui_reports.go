package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

// reportTimeout is how long a report for the page may take; see rdd doctor and
// rdd support-bundle.
const reportTimeout = time.Minute

// outputDelay is how long the output of a report may remain open after the end of its
// process: a browser can be slow, and another process can have inherited the output.
const outputDelay = 20 * time.Second

// reportOfDoctor returns the report of 'rdd doctor' as JSON. It runs in a process of its own:
// the check of the datastore needs much memory, which the daemon would keep.
func (s *session) reportOfDoctor(ctx context.Context) ([]byte, error) {
	var out bytes.Buffer
	err := s.runCommand(ctx, &out, "doctor", "--output=json")
	if json.Valid(out.Bytes()) {
		return out.Bytes(), nil // with findings, the doctor exits with 1
	}
	if err == nil {
		err = fmt.Errorf("it printed no JSON: run 'rdd doctor' in a terminal")
	}
	return nil, err
}

// writeSupportBundle writes what 'rdd support-bundle' collects.
func (s *session) writeSupportBundle(ctx context.Context, out io.Writer) error {
	return s.runCommand(ctx, out, "support-bundle", "-")
}

// runCommand runs a command of this program for the same instance.
func (s *session) runCommand(ctx context.Context, out io.Writer, args ...string) error {
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, reportTimeout)
	defer cancel()
	if err := runReport(ctx, outputDelay, out, program, append([]string{"--instance", s.instance.Name}, args...)...); err != nil {
		return fmt.Errorf("run 'rdd %s': %w", args[0], err)
	}
	return nil
}

// runReport runs a program, whose standard output is the report. The output ends at the latest
// delay after the program.
func runReport(ctx context.Context, delay time.Duration, out io.Writer, program string, args ...string) error {
	var messages bytes.Buffer
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Stdout, cmd.Stderr, cmd.WaitDelay = out, &messages, delay
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%w: %s", err, strings.TrimSpace(messages.String()))
	}
	return nil
}
