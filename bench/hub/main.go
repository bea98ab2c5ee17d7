package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/klog/v2"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/rancher-sandbox/rancher-desktop-daemon/bench/report/figures"
)

func main() {
	opts := flags()
	// The libraries of the clients have one logger for the whole process. They log the
	// watches that a restart of the hub breaks.
	log.SetLogger(logr.Discard())
	klog.SetLogger(logr.Discard())
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	run, err := measure(ctx, opts)
	stop()
	if run != nil {
		if writeErr := figures.WriteTable(os.Stdout, run.Lines(group)); err == nil {
			err = writeErr
		}
		if opts.file != "" {
			if writeErr := run.Write(opts.file); err == nil {
				err = writeErr
			}
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

// options are those of the command line.
type options struct {
	program, before, file string
	// profile is a file for the CPU profile of the API server; empty for none.
	profile string
	// only are the parts to measure; empty for all.
	only []string

	machines, mirrors, leases, first, daemon, samples int
	// auditsLeases has the audit log contain the renewals of Leases.
	auditsLeases bool
	// rest is how long something at rest is measured.
	rest time.Duration
}

func flags() (o options) {
	flag.StringVar(&o.program, "rdd", "bin/rdd", "the program to measure")
	flag.StringVar(&o.before, "before", "", "an rdd without hubs, to compare a daemon with that has not joined one")
	flag.StringVar(&o.profile, "profile", "", "file for a CPU profile of the API server while Leases are renewed")
	flag.StringVar(&o.file, "json", "", "file for the figures; with -only, figures of other parts stay in it")
	flag.IntVar(&o.machines, "machines", 50, "machines that return after a restart of the hub")
	flag.IntVar(&o.mirrors, "mirrors", 200, "mirrors of each of these machines")
	flag.IntVar(&o.leases, "leases", 500, "Leases that are renewed at once")
	flag.BoolVar(&o.auditsLeases, "audit-leases", false, "also write the renewals of Leases to the audit log")
	flag.IntVar(&o.first, "first", 10000, "mirrors of a machine that joins for the first time")
	flag.IntVar(&o.daemon, "daemon", 700, "mirrors of the daemon whose own cost is measured")
	flag.IntVar(&o.samples, "samples", 200, "events to measure each latency with")
	flag.DurationVar(&o.rest, "rest", time.Minute, "how long something at rest is measured")
	only := flag.String("only", "", "measure these parts, separated by commas: "+strings.Join(partNames(), ", "))
	flag.Parse()
	if *only != "" {
		o.only = strings.Split(*only, ",")
	}
	for _, program := range []*string{&o.program, &o.before} {
		if absolute, err := filepath.Abs(*program); err == nil && *program != "" {
			*program = absolute
		}
	}
	return o
}
