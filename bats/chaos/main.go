// Command chaos injects faults into the real daemon and a real engine, and checks
// that rdd keeps its promises.
//
// In each round workers change the engine and users change the API, while the
// daemon and the engine are killed, stopped and disconnected from each other. Then
// all changes stop. Within ten seconds the mirrors must be exact and the datastore
// intact, and every acknowledged change of desired state must be applied or visibly
// refused. A proxy records the requests of the daemon to the engine: each must have
// a reason.
//
// Reading map:
//
//	main.go        the command line
//	setup.go       engine, link and daemon of a run
//	daemon.go      the daemon, and a client for it
//	round.go       one round
//	plan.go        draws the faults of a round
//	impairment.go  draws what is wrong with the link
//	faults.go      injects the faults
//	disk.go        the daemon's disk, which can be full
//	churn.go       workers, which change the engine
//	quiet.go       changes without an event of their own
//	user.go        users, which change the API
//	actions.go     actions that users request on containers
//	requests.go    requests of users
//	transfers.go   checks the requests for images and prunes
//	registry.go    the registry of the images
//	ledger.go      records requests and faults
//	link.go        the impaired socket between daemon and engine
//	recorder.go    records the daemon's requests to the engine
//	starts.go      records the starts of containers, and checks that each has a cause
//	converge.go    waits until everything is right
//	judge.go       checks the acknowledged requests
//	changes.go     checks the daemon's requests
//	report.go      violations and the summary
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

// options are those of the command line.
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
	flags.IntVar(&o.first, "first", 1, "number of the first round, to repeat a later round of a run")
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
