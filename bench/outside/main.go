// Command outside measures rdd as a user meets it: it runs the real rdd
// against a real engine in a new home directory, looks at the API through a
// watch of its own, and prints one table. It needs root, as the engine does.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"time"
)

// sizes says how much the engine holds.
type sizes struct {
	images, containers, running, volumes int
	// events is how many objects are made one by one to measure latency.
	events int
}

func main() {
	var n sizes
	rdd := flag.String("rdd", "bin/rdd", "the program to measure")
	flag.IntVar(&n.images, "images", 500, "images in the engine")
	flag.IntVar(&n.containers, "containers", 100, "containers in the engine")
	flag.IntVar(&n.running, "running", 10, "how many of the containers run")
	flag.IntVar(&n.volumes, "volumes", 100, "volumes in the engine")
	flag.IntVar(&n.events, "events", 200, "objects made one by one to measure latency")
	asJSON := flag.Bool("json", false, "print JSON instead of a table")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	report, err := measure(ctx, *rdd, n)
	stop()
	if report != nil {
		if writeErr := report.write(os.Stdout, *asJSON); err == nil {
			err = writeErr
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

// measure returns what was measured until an error came.
func measure(ctx context.Context, rdd string, n sizes) (*report, error) {
	program, err := filepath.Abs(rdd)
	if err != nil {
		return nil, fmt.Errorf("find %s: %w", rdd, err)
	}
	home, err := os.MkdirTemp("/tmp", "rddb.")
	if err != nil {
		return nil, fmt.Errorf("make a home directory: %w", err)
	}
	d := &daemon{program: program, home: home}
	r := &report{sizes: n}
	err = run(ctx, d, r, n)
	cleanup, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Minute)
	defer cancel()
	if _, deleteErr := d.rdd(cleanup, "svc", "delete"); err == nil {
		err = deleteErr
	}
	if removeErr := os.RemoveAll(home); err == nil {
		err = removeErr
	}
	return r, err
}

// run is the story: an empty engine, a full one, a crash, single events, the end.
func run(ctx context.Context, d *daemon, r *report, n sizes) error {
	steps := []func(context.Context, *daemon, *report, sizes) error{
		firstStart, laterStart, fill, fullSync, crash, latency, cleanUp,
	}
	for _, step := range steps {
		if err := step(ctx, d, r, n); err != nil {
			return err
		}
	}
	return nil
}
