package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/klog/v2"
	"sigs.k8s.io/controller-runtime/pkg/log"
)

func main() {
	// The libraries of the clients have one logger for the whole process. They log the
	// watches that a restart breaks.
	log.SetLogger(logr.Discard())
	klog.SetLogger(logr.Discard())
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(1)
	}
}

// options are those of the command line.
type options struct {
	program, out, plots string
	hours               float64
	period              time.Duration
	restarts            int
	private             []string
	judge               bool
}

func parseOptions(args []string) (o options, err error) {
	flags := flag.NewFlagSet("soak", flag.ContinueOnError)
	flags.StringVar(&o.program, "rdd", "bin/rdd", "the program to test; it is copied, so that a build during the run changes nothing")
	flags.StringVar(&o.out, "out", ".cache/soak", "directory for samples, profiles and results")
	flags.StringVar(&o.plots, "plots", "", "directory for the plots; by default that of -out")
	flags.Float64Var(&o.hours, "hours", 2, "how long the load lasts; 0 for the leak test alone")
	flags.DurationVar(&o.period, "period", 3*time.Minute, "about how long it is from one restart to the next one, of the engine and of a daemon")
	flags.IntVar(&o.restarts, "restarts", 100, "restarts of each kind in the leak test, 10 at least; 0 for no leak test")
	private := flags.String("private", "", "directories that no other process uses, separated by commas: a restart must leave no file there")
	flags.BoolVar(&o.judge, "judge", false, "run nothing: judge and draw the samples in the directory of -out")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	for _, path := range []*string{&o.program, &o.out} {
		if *path, err = filepath.Abs(*path); err != nil {
			return o, fmt.Errorf("find %s: %w", *path, err)
		}
	}
	if o.restarts > 0 && o.restarts < 2*warmUp {
		return o, fmt.Errorf("-restarts is 0, or %d at least", 2*warmUp)
	}
	if *private != "" {
		o.private = strings.Split(*private, ",")
	}
	if o.plots == "" {
		o.plots = o.out
	}
	return o, nil
}

func run(ctx context.Context, args []string, out io.Writer) error {
	o, err := parseOptions(args)
	if err != nil {
		return err
	}
	if o.judge {
		return report(o, out)
	}
	if err := os.MkdirAll(o.out, 0o750); err != nil {
		return fmt.Errorf("create the directory for results: %w", err)
	}
	if o.hours > 0 {
		if err := soakFor(ctx, o, out); err != nil {
			return err
		}
	}
	if o.restarts > 0 {
		return leakTest(ctx, o, out)
	}
	return nil
}
