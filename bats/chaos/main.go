// Command chaos attacks the real daemon and a real engine, and looks whether
// anything is lost.
//
// In each round several workers change the engine, others write wishes through
// the API, and meanwhile the daemon and the engine are killed, stopped and cut
// off from each other. Then everybody rests, and within ten seconds the mirrors
// must be exact, the datastore sound, and every wish that the API server took
// carried out or visibly refused. What the daemon asked of the engine is
// recorded on its way there, so that a change that nobody asked for shows.
//
// Reading map: plan.go and weather.go draw what goes wrong; faults.go does it;
// churn.go, silent.go and wisher.go make the changes, and note them in ledger.go; link.go
// and recorder.go stand between daemon and engine; converge.go, changes.go and
// judge.go judge; round.go is a round, report.go what is said of it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/go-logr/logr"
	"sigs.k8s.io/controller-runtime/pkg/log"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "chaos:", err)
		os.Exit(1)
	}
}

// options are what the command line says.
type options struct {
	rounds, first int
	seed          uint64
	long          bool
	program, out  string
}

func parseOptions(args []string) (options, error) {
	var o options
	flags := flag.NewFlagSet("chaos", flag.ContinueOnError)
	flags.IntVar(&o.rounds, "rounds", 10, "how many rounds")
	flags.IntVar(&o.first, "first", 1, "number of the first round, to look at a later one of a run again")
	flags.Uint64Var(&o.seed, "seed", 0, "plan of an earlier run; 0 draws a new one")
	flags.BoolVar(&o.long, "long", false, "stop the engine, for five seconds to a minute, in each round that does something to it")
	flags.StringVar(&o.program, "rdd", "bin/rdd", "the program to attack")
	flags.StringVar(&o.out, "out", ".cache/chaos", "where the reports of violations go")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if o.seed == 0 {
		o.seed = rand.Uint64()
	}
	var err1, err2 error
	o.program, err1 = filepath.Abs(o.program)
	o.out, err2 = filepath.Abs(o.out)
	return o, errors.Join(err1, err2)
}

func run(ctx context.Context, args []string, out io.Writer) error {
	o, err := parseOptions(args)
	if err != nil {
		return err
	}
	log.SetLogger(logr.Discard()) // else it complains on stderr
	fmt.Fprintf(out, "seed %d, %d rounds from %d\n", o.seed, o.rounds, o.first)
	c, err := begin(ctx, o, out)
	if err == nil {
		for number := o.first; number < o.first+o.rounds && err == nil; number++ {
			err = c.round(ctx, draw(o.seed, number, o.long))
		}
	}
	return errors.Join(err, c.end(context.WithoutCancel(ctx)))
}
