// Command endtoend measures rdd as a user runs it: the real program with a real
// engine, in new home directories. It observes the API through watches over TLS and
// prints one table. It also measures bench/baseline on the same engine, so that the
// table has ratios and not only times. It needs root, as the engine does.
//
// Reading map:
//
//	main.go      the command line
//	bench.go     one run
//	parts.go     the order of the measurements
//	start.go     measures starts
//	sync.go      measures full syncs, cleanup and restarts
//	event.go     measures latencies of events
//	churn.go     measures an idle daemon, and many events
//	request.go   measures the creation of containers
//	stream.go    measures logs and commands of containers
//	clients.go   measures syncs, events and writes beside other clients
//	watchers.go  these clients
//	bare.go      a client of the engine that only inspects
//	health.go    measures a daemon whose containers are probed
//	baseline.go  measures the baseline
//	engine.go    the engine
//	fill.go      creates the objects of the engine
//	tags.go      creates thousands of tags
//	proxy.go     records the daemon's first call to the engine
//	client.go    the API of the daemon or the baseline
//	app.go       watches the App
//	tracker.go   watches the mirrors
//	machine.go   describes the machine and the engine
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/go-logr/logr"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/rancher-sandbox/rancher-desktop-daemon/bench/report/figures"
)

func main() {
	opts, file := flags()
	// The baseline's libraries have one logger for the whole process.
	log.SetLogger(logr.Discard())
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	run, err := measure(ctx, opts)
	stop()
	if run != nil {
		if writeErr := figures.WriteTable(os.Stdout, run.Lines()); err == nil {
			err = writeErr
		}
		if file != "" && opts.only == "" && err == nil {
			err = run.Write(file)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

// flags reads the command line.
func flags() (opts options, file string) {
	n := &opts.sizes
	flag.StringVar(&opts.program, "rdd", "bin/rdd", "the program to measure")
	flag.StringVar(&file, "json", "", "file for the figures, which bench/report reads")
	flag.IntVar(&n.images, "images", 500, "images in the engine")
	flag.IntVar(&n.containers, "containers", 100, "containers in the engine")
	flag.IntVar(&n.running, "running", 10, "how many of the containers run")
	flag.IntVar(&n.volumes, "volumes", 100, "volumes in the engine")
	flag.IntVar(&n.distinct, "distinct", 500, "how many images differ by more than their tag")
	n.scale = []int{100, 2000, 10000}
	flag.Func("scale", "other numbers of images, for how cost grows; 0 for none (default 100,2000,10000)", func(text string) error {
		var err error
		n.scale, err = numbers(text)
		return err
	})
	flag.IntVar(&opts.rounds, "rounds", 3, "how often measurements of seconds are repeated")
	flag.IntVar(&opts.samples, "samples", 300, "events to measure each latency with")
	flag.IntVar(&opts.baselineSamples, "baseline-samples", 100, "the same for the baseline")
	flag.IntVar(&opts.baselineUpTo, "baseline", 2000, "the most images that the baseline mirrors, which takes minutes for 10000; 0 for no baseline")
	flag.IntVar(&opts.churn, "churn", 10000, "events of churn before memory is read again")
	flag.DurationVar(&opts.idle, "idle", 20*time.Second, "how long an idle daemon is measured")
	flag.StringVar(&opts.only, "only", "", "measure one part, and write no file: main (sync, idle, events), work (streams, requests), health (probes), clients (syncs and events beside watches) or watchers (many watches)")
	flag.Parse()
	if program, err := filepath.Abs(opts.program); err == nil {
		opts.program = program
	}
	return opts, file
}

// numbers parses numbers separated by commas, and sorts them.
func numbers(text string) ([]int, error) {
	if text == "0" {
		return nil, nil
	}
	var all []int
	for part := range strings.SplitSeq(text, ",") {
		n, err := strconv.Atoi(part)
		if err != nil || n < 2 {
			return nil, fmt.Errorf("%q is no number of images", part)
		}
		all = append(all, n)
	}
	slices.Sort(all)
	return all, nil
}
