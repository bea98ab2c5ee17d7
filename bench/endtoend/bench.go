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

// sizes says how much the engine holds.
type sizes struct {
	containers, running, volumes int
	// images of the main part; distinct is how many of all images are no mere tags.
	images, distinct int
	// scale are the other numbers of images, in ascending order.
	scale []int
}

// objects is how many mirrors there must be with so many images: one more is
// the engine's namespace.
func (n sizes) objects(images int) int { return images + n.containers + n.volumes + 1 }

// options say how much is measured.
type options struct {
	program, stripped string
	sizes             sizes
	// rounds is how often what takes seconds is repeated.
	rounds int
	// samples is how many events each latency is measured with; baselineSamples
	// the same for the baseline.
	samples, baselineSamples int
	// churn is how many events go by before memory is read again.
	churn int
	// baselineUpTo is the greatest number of images the baseline mirrors; 0: none.
	baselineUpTo int
	// idle is how long the daemon is watched doing nothing.
	idle time.Duration
}

// bench is one run.
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

// say tells whoever waits how far the run is.
func (b *bench) say(format string, args ...any) {
	fmt.Fprintf(b.progress, "%4.0fs  %s\n", time.Since(b.began).Seconds(), fmt.Sprintf(format, args...))
}

// add adds a value to a figure.
func (b *bench) add(group, name, unit string, value float64, rows ...figures.Row) {
	f := b.run.Figure(group, name, unit, rows...)
	f.Values = append(f.Values, value)
}

// measure returns what was measured until an error came.
func measure(ctx context.Context, opts options) (*figures.Run, error) {
	// A socket's path must be short.
	dir, err := os.MkdirTemp("/tmp", "rddb.")
	if err != nil {
		return nil, fmt.Errorf("make a directory: %w", err)
	}
	b := &bench{options: opts, dir: dir, began: time.Now(), progress: os.Stderr}
	if b.run, err = describe(opts.program); err == nil {
		err = b.withEngine(ctx)
	}
	if err != nil {
		b.keepLogs()
	}
	return b.run, errors.Join(err, os.RemoveAll(dir))
}

// keepLogs shows the ends of logs that are about to go.
func (b *bench) keepLogs() {
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
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*dockerd.StopWithin)
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
	return b.story(ctx)
}

// story is everything in its order: an empty engine, and then more and more in it.
func (b *bench) story(ctx context.Context) error {
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

// endpoint is where the daemon is told that the engine is.
func (b *bench) endpoint() string { return "unix://" + b.docker.link() }

// withDaemon runs a part with a daemon that has never run before and is removed
// afterwards, whatever happens.
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

// binary weighs the program.
func (b *bench) binary() error {
	for _, one := range []struct {
		name, file string
		rows       []figures.Row
	}{
		{"the program, as built", b.program, nil},
		{"the program, stripped", b.stripped, []figures.Row{figures.Goal(150)}},
	} {
		if one.file == "" {
			continue
		}
		info, err := os.Stat(one.file)
		if err != nil {
			return fmt.Errorf("weigh the program: %w", err)
		}
		b.add(figures.Memory, one.name, figures.Megabytes, megabytes(info.Size()), one.rows...)
	}
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
