package main

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/rancher-sandbox/rancher-desktop-daemon/bench/report/figures"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/rddtest"
)

const (
	// restInterval is the interval between two readings of a daemon at rest.
	restInterval = 5 * time.Second
	// warmUp is how long a daemon runs before it counts as being at rest.
	warmUp = 40 * time.Second
)

// States of a daemon in names of figures.
const (
	neverJoined = "never joined"
	hasJoined   = "joined"
	hasLeft     = "left again"
	withoutHubs = "a program without hubs"
)

// subject is a daemon whose cost is measured.
type subject struct {
	state   string
	machine *machine
	// memory in MB, processor in percent of a core, and goroutines.
	memory     []float64
	processor  float64
	goroutines int64
}

// costs compares daemons that have joined a hub with those that have not. Each has
// restarted, so that none holds what it needed to become what it is.
func (b *bench) costs(ctx context.Context) error {
	subjects, err := b.subjects(ctx)
	if err != nil {
		return err
	}
	for _, s := range subjects {
		if err := s.machine.restart(ctx); err != nil {
			return err
		}
		if err := await(ctx, "the mirrors of "+s.state, s.machine.engineReady); err != nil {
			return err
		}
	}
	if err := rddtest.Sleep(ctx, warmUp); err != nil {
		return err
	}
	if err := subjects[hasJoined].machine.isSynced(ctx); err != nil {
		return err
	}
	resting, gctx := errgroup.WithContext(ctx)
	for _, s := range subjects {
		resting.Go(func() error { return s.atRest(gctx, b.rest) })
	}
	if err := resting.Wait(); err != nil {
		return err
	}
	b.compare(subjects)
	return nil
}

// subjects starts the daemons that are compared, by state.
func (b *bench) subjects(ctx context.Context) (map[string]*subject, error) {
	subjects := map[string]*subject{}
	programs := map[string]string{neverJoined: b.program, hasJoined: b.program, hasLeft: b.program}
	if b.before != "" {
		programs[withoutHubs] = b.before
	}
	starting, ctx := errgroup.WithContext(ctx)
	starting.SetLimit(2)
	for i, state := range []string{neverJoined, hasJoined, hasLeft, withoutHubs} {
		if programs[state] == "" {
			continue
		}
		s := &subject{state: state}
		subjects[state] = s
		starting.Go(func() (err error) {
			s.machine, err = b.startMachine(ctx, programs[state], fmt.Sprintf("daemon-%d", i), spread(b.daemon))
			if err != nil || state != hasJoined && state != hasLeft {
				return err
			}
			if err := s.machine.join(ctx); err != nil || state == hasJoined {
				return err
			}
			_, err = s.machine.daemon.Run(ctx, "leave")
			return err
		})
	}
	return subjects, starting.Wait()
}

// atRest reads memory and CPU time of a daemon at rest.
func (s *subject) atRest(ctx context.Context, rest time.Duration) error {
	before, err := s.machine.daemon.Usage()
	if err != nil {
		return err
	}
	began := time.Now()
	for time.Since(began) < rest {
		if err := rddtest.Sleep(ctx, min(restInterval, rest)); err != nil {
			return err
		}
		bytes, err := s.machine.daemon.PrivateMemory()
		if err != nil {
			return err
		}
		s.memory = append(s.memory, megabytes(bytes))
	}
	after, err := s.machine.daemon.Usage()
	if err != nil {
		return err
	}
	s.processor = 100 * (after.CPU - before.CPU).Seconds() / time.Since(began).Seconds()
	size, err := s.machine.daemon.Size(ctx)
	s.goroutines = size.Goroutines
	return err
}

// compare adds the figures. The memory of a daemon is the median of its readings.
func (b *bench) compare(subjects map[string]*subject) {
	never, joined, left := subjects[neverJoined], subjects[hasJoined], subjects[hasLeft]
	for _, state := range []string{withoutHubs, neverJoined, hasLeft, hasJoined} {
		s := subjects[state]
		if s == nil {
			continue
		}
		b.progressf("%s: %d goroutines", state, s.goroutines)
		b.add(fmt.Sprintf("daemon with %d mirrors, private memory (RssAnon), %s", b.daemon, state), figures.Megabytes, s.memory)
		b.addOne(fmt.Sprintf("daemon with %d mirrors at rest, CPU, %s", b.daemon, state), figures.Percent, s.processor)
	}
	median := func(s *subject) float64 { return figures.Percentile(s.memory, 50) }
	b.addOne("private memory for being joined", figures.Megabytes, median(joined)-median(never), figures.Goal(25))
	b.addOne("private memory for having left", figures.Megabytes, median(left)-median(never))
	b.addOne("goroutines for having left", figures.Times, float64(left.goroutines-never.goroutines), figures.Goal(0))
	if base := subjects[withoutHubs]; base != nil {
		b.addOne("private memory for not being joined", figures.Megabytes, median(never)-median(base))
	}
}
