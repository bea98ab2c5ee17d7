package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/bench/report/figures"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/rddtest"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/rddtest/dockerd"
)

// sizes has the numbers of objects in the engine.
type sizes struct {
	containers, running, volumes int
	// images of the main part; distinct of all images differ by more than their tag.
	images, distinct int
	// scale has the other numbers of images, in ascending order.
	scale []int
}

// objects returns the number of mirrors for a number of images. One mirror is the
// engine's namespace.
func (n sizes) objects(images int) int { return images + n.containers + n.volumes + 1 }

// options are those of the command line.
type options struct {
	program string
	sizes   sizes
	// rounds is how often measurements of seconds are repeated.
	rounds int
	// samples is the number of events for each latency, baselineSamples that for
	// the baseline.
	samples, baselineSamples int
	// churn is the number of events before memory is read again.
	churn int
	// baselineUpTo is the greatest number of images for the baseline; 0: no baseline.
	baselineUpTo int
	// idle is how long the idle daemon is measured.
	idle time.Duration
	// only is the part to measure; empty for all.
	only string
}

// bench is one run of the command.
type bench struct {
	options
	run      *figures.Run
	dir      string
	docker   *testEngine
	fill     *filler
	homes    int
	began    time.Time
	progress io.Writer
}

// progressf prints how far the run is.
func (b *bench) progressf(format string, args ...any) {
	fmt.Fprintf(b.progress, "%4.0fs  %s\n", time.Since(b.began).Seconds(), fmt.Sprintf(format, args...))
}

// add adds a value to a figure.
func (b *bench) add(group, name, unit string, value float64, rows ...figures.Row) {
	f := b.run.Figure(group, name, unit, rows...)
	f.Values = append(f.Values, value)
}

// measure returns the figures, also those before an error.
func measure(ctx context.Context, opts options) (*figures.Run, error) {
	// The path of a socket must be short.
	dir, err := os.MkdirTemp("/tmp", "rddb.")
	if err != nil {
		return nil, fmt.Errorf("make a directory: %w", err)
	}
	b := &bench{options: opts, dir: dir, began: time.Now(), progress: os.Stderr}
	if b.run, err = figures.Describe(opts.program); err == nil {
		err = b.withEngine(ctx)
	}
	if err != nil {
		b.printLogs()
	}
	return b.run, errors.Join(err, os.RemoveAll(dir))
}

// printLogs shows the ends of logs that are about to go.
func (b *bench) printLogs() {
	logs, err := filepath.Glob(filepath.Join(b.dir, "home*", ".local", "state", "*", "logs", "*.log"))
	if err != nil {
		return
	}
	for _, file := range append(logs, filepath.Join(b.dir, "dockerd.log")) {
		text, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		lines := strings.Split(strings.TrimSpace(string(text)), "\n")
		fmt.Fprintf(b.progress, "end of %s:\n%s\n", file, strings.Join(lines[max(0, len(lines)-10):], "\n"))
	}
}

func (b *bench) withEngine(ctx context.Context) (err error) {
	b.docker, err = startDockerd(ctx, b.dir)
	if err != nil {
		return err
	}
	defer func() {
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*dockerd.StopTimeout)
		defer cancel()
		err = errors.Join(err, b.docker.Close(last))
	}()
	b.fill = &filler{docker: b.docker, engine: b.docker.API}
	if err := b.docker.pointTo(b.docker.Socket()); err != nil {
		return err
	}
	if b.run.Engine, err = describeEngine(ctx, b.docker.API); err != nil {
		return err
	}
	return b.runAll(ctx)
}

// runAll measures with an empty engine first, and then with more and more objects.
func (b *bench) runAll(ctx context.Context) error {
	if b.only != "" {
		return b.onePart(ctx)
	}
	if err := b.binary(); err != nil {
		return err
	}
	if err := b.starts(ctx); err != nil {
		return err
	}
	main := false
	for _, images := range b.sizes.scale {
		if images > b.sizes.images && !main {
			main = true
			if err := b.mainPart(ctx); err != nil {
				return err
			}
		}
		if err := b.scalePart(ctx, images); err != nil {
			return err
		}
	}
	if main {
		return nil
	}
	return b.mainPart(ctx)
}

// endpoint returns the endpoint of the engine for the daemon.
func (b *bench) endpoint() string { return "unix://" + b.docker.link() }

// withDaemon runs a part with a new instance, and removes it afterwards in any case.
func (b *bench) withDaemon(ctx context.Context, part func(context.Context, *rddtest.Daemon) error) error {
	b.homes++
	d, err := rddtest.New(ctx, b.program, filepath.Join(b.dir, fmt.Sprintf("home%d", b.homes)), "bench")
	if err != nil {
		return err
	}
	err = part(ctx, d)
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	return errors.Join(err, d.Remove(last))
}

// binary measures the size of the program.
func (b *bench) binary() error {
	info, err := os.Stat(b.program)
	if err != nil {
		return fmt.Errorf("measure the size of the program: %w", err)
	}
	b.add(figures.Memory, "the program", figures.Megabytes, megabytes(info.Size()), figures.Goal(150))
	return nil
}

// memory adds the daemon's private memory to a figure, and returns it in MB.
func (b *bench) memory(d *rddtest.Daemon, name string, rows ...figures.Row) (float64, error) {
	anon, err := d.PrivateMemory()
	if err != nil {
		return 0, err
	}
	b.add(figures.Memory, "private memory (RssAnon), "+name, figures.Megabytes, megabytes(anon), rows...)
	return megabytes(anon), nil
}

func megabytes(bytes int64) float64 { return float64(bytes) / (1 << 20) }

func milliseconds(d time.Duration) float64 { return float64(max(d, 0).Microseconds()) / 1000 }
