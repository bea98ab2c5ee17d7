// Command mutants builds rdd with one deliberate defect at a time, and says which tests
// find it: unit tests, the simulation, chaos, or BATS.
//
// Each file in defects has one defect. It is applied to copies of the files, and Go's
// -overlay uses these, so the tree is never changed. The results are kept in
// .cache/mutants, so that a run that was ended continues, and a defect is only asked about
// again when its packages, or the tests that have not found it, have changed.
//
// A file begins with comments: what a user would suffer, and then fields.
//
//	# What a user would suffer, in one sentence.
//	#
//	# Group: simulation     what it belongs to; those of simulation and chaos are to be
//	#                       found by that layer
//	# Layers: unit bats     the layers that can be asked
//	# Unit: ./actors/mirror the packages whose unit tests are asked
//	# Run: ^TestDecide      of these, the tests with such names; all without it
//	# BATS: bats/state.bats the file of end-to-end tests that is asked
//	# Unobservable: why     for a defect that no test can find
//
// A unified diff follows. Its line numbers are hints only, so that it applies as long as
// its lines are in the file.
//
// Reading map:
//
//	main.go     the command line
//	defect.go   reads a defect
//	patch.go    applies its diff
//	overlay.go  the overlay of a build
//	run.go      runs all defects
//	layer.go    what asks a layer of tests
//	asked.go    the outcomes of a defect, and whether a kept one is still valid
//	report.go   the table and the score
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(1)
	}
}

// options are those of the command line.
type options struct {
	// root of the tree, and out, where the results go.
	root, out string
	// defects is the directory of the defects.
	defects string
	pattern *regexp.Regexp
	layers  []layer
	seeds   int
	rounds  int
	// all asks every layer, also after one has found the defect.
	all bool
	// isReport writes the table of what is known, and runs nothing.
	isReport bool
	engine   string
}

func parseOptions(args []string) (options, error) {
	o := options{}
	flags := flag.NewFlagSet("mutants", flag.ContinueOnError)
	flags.StringVar(&o.root, "C", ".", "the root of the tree")
	flags.StringVar(&o.out, "out", ".cache/mutants", "where the results go, below the root")
	flags.StringVar(&o.engine, "engine", "debian", "the engine of chaos and BATS")
	layers := flags.String("layers", "unit,simulation", "the layers to ask: "+strings.Join(layerNames(), ", "))
	flags.IntVar(&o.seeds, "seeds", 400, "how many seeds the simulation runs")
	flags.IntVar(&o.rounds, "rounds", 4, "how many rounds chaos runs")
	flags.BoolVar(&o.all, "all", false, "ask every layer, also after one has found the defect")
	flags.BoolVar(&o.isReport, "report", false, "write the table of the kept results, and run nothing")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if flags.NArg() > 1 {
		return o, errors.New("more than one pattern: give one regular expression for GROUP/NAME")
	}
	var err error
	if o.pattern, err = regexp.Compile(flags.Arg(0)); err != nil {
		return o, fmt.Errorf("pattern of names: %w", err)
	}
	if o.layers, err = parseLayers(*layers); err != nil {
		return o, err
	}
	if o.root, err = filepath.Abs(o.root); err != nil {
		return o, err
	}
	o.defects = filepath.Join(o.root, "internal/tools/mutants/defects")
	if !filepath.IsAbs(o.out) {
		o.out = filepath.Join(o.root, o.out)
	}
	return o, nil
}

func run(ctx context.Context, args []string, out io.Writer) error {
	o, err := parseOptions(args)
	if errors.Is(err, flag.ErrHelp) {
		return nil
	}
	if err != nil {
		return err
	}
	defects, err := readDefects(o.defects)
	if err != nil {
		return err
	}
	c := &campaign{options: o, printed: out, execute: execute, passed: map[string]bool{}}
	return c.run(ctx, defects)
}
