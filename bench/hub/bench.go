package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/bench/report/figures"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/logtail"
)

// group is the group of all figures.
const group = "hub"

// endTimeout bounds the end of all that was started.
const endTimeout = time.Minute

// part is a part of the run.
type part struct {
	name string
	run  func(*bench, context.Context) error
}

// parts returns all parts in their order. The memory of the API server is read while the
// number of mirrors grows, so it is a step of the others.
func parts() []part {
	return []part{
		{"writes", (*bench).writes},
		{"latency", (*bench).latency},
		{"daemon", (*bench).costs},
		{"leases", (*bench).leaseLoad},
		{"return", (*bench).returns},
		{"first", (*bench).firstJoin},
	}
}

func partNames() (names []string) {
	for _, p := range parts() {
		names = append(names, p.name)
	}
	return names
}

// bench is one run of the command.
type bench struct {
	options
	run      *figures.Run
	dir      string
	hub      *hub
	memory   memoryPoints
	began    time.Time
	progress io.Writer

	mu      sync.Mutex // guards started, because machines start in parallel
	started []*machine
}

// progressf prints how far the run is.
func (b *bench) progressf(format string, args ...any) {
	fmt.Fprintf(b.progress, "%4.0fs  %s\n", time.Since(b.began).Seconds(), fmt.Sprintf(format, args...))
}

// add adds values to a figure.
func (b *bench) add(name, unit string, values []float64, rows ...figures.Row) {
	f := b.run.Figure(group, name, unit, rows...)
	f.Values = append(f.Values, values...)
}

func (b *bench) addOne(name, unit string, value float64, rows ...figures.Row) {
	b.add(name, unit, []float64{value}, rows...)
}

// measure returns the figures, also those before an error.
func measure(ctx context.Context, opts options) (*figures.Run, error) {
	for _, name := range opts.only {
		if !slices.Contains(partNames(), name) {
			return nil, fmt.Errorf("there is no part %q: the parts are %s", name, strings.Join(partNames(), ", "))
		}
	}
	// The path of a socket must be short.
	dir, err := os.MkdirTemp("/tmp", "rddh.")
	if err != nil {
		return nil, fmt.Errorf("make a directory: %w", err)
	}
	b := &bench{options: opts, dir: dir, began: time.Now(), progress: os.Stderr}
	if b.run, err = figures.Describe(opts.program); err == nil {
		b.run.Engine.Name = "in-memory engine behind the Docker API"
		err = b.runAll(ctx)
	}
	if err != nil {
		b.printLogs()
	}
	err = errors.Join(err, b.endAll(ctx), os.RemoveAll(dir))
	if len(opts.only) > 0 && opts.file != "" {
		if earlier, readErr := figures.Read(opts.file); readErr == nil {
			b.run = merge(earlier, b.run)
		}
	}
	return b.run, err
}

func (b *bench) runAll(ctx context.Context) (err error) {
	b.progressf("starting a hub")
	if b.hub, err = startHub(ctx, filepath.Join(b.dir, "hub"), b.auditsLeases); err != nil {
		return err
	}
	defer b.hub.cluster.Close()
	for _, p := range parts() {
		if len(b.only) > 0 && !slices.Contains(b.only, p.name) {
			continue
		}
		b.progressf("part %s", p.name)
		if err := p.run(b, ctx); err != nil {
			return fmt.Errorf("part %s: %w", p.name, err)
		}
		if err := b.endAll(ctx); err != nil {
			return err
		}
	}
	return nil
}

// endAll ends all machines that still run.
func (b *bench) endAll(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), endTimeout)
	defer cancel()
	b.mu.Lock()
	defer b.mu.Unlock()
	var errs []error
	for _, m := range b.started {
		errs = append(errs, m.end(ctx))
	}
	b.started = nil
	return errors.Join(errs...)
}

// printLogs shows the ends of logs that are about to go, of the hub and of the last machine.
func (b *bench) printLogs() {
	patterns := []string{"hub/etcd.log", "hub/kube-*.log"}
	b.mu.Lock()
	if n := len(b.started); n > 0 {
		patterns = append(patterns, "home-"+b.started[n-1].name+"/.local/state/*/logs/rdd.log")
	}
	b.mu.Unlock()
	for _, pattern := range patterns {
		logs, err := filepath.Glob(filepath.Join(b.dir, pattern))
		if err != nil {
			return
		}
		for _, log := range logs {
			fmt.Fprintf(b.progress, "end of %s:\n", log)
			_, _ = logtail.Tail(log, 5, b.progress) // it is only help
		}
	}
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func megabytes(bytes int64) float64 { return float64(bytes) / (1 << 20) }
