package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/rddtest/dockerd"
)

const (
	// compared is how many restarts at the begin and at the end are compared.
	compared = 5
	// memoryTolerance is how much more memory the last processes may have, as a factor: a
	// mean of few values varies.
	memoryTolerance = 1.1
	// settleTimeout is how long processes and files may take to be as after the first restarts.
	settleTimeout = 30 * time.Second
)

// series are restarts of one kind, one after the other.
type series struct {
	name   string
	daemon *daemon
	// socket of the engine.
	socket  func() string
	restart func(context.Context) error
	// private are directories that no other process uses. out is the one for profiles.
	private  []string
	out      string
	readings []reading
}

// leakTest restarts daemons and engines one after the other, and checks that each restart
// leaves nothing behind. Two daemons are tested at the same time, because restarts mostly
// wait.
func leakTest(ctx context.Context, o options, out io.Writer) error {
	var printing sync.Mutex
	testing, ctx := errgroup.WithContext(ctx)
	for _, begin := range []func(context.Context, *soak) ([]*series, error){external, own} {
		testing.Go(func() (err error) {
			s, err := newSoak(o, out)
			defer func() { err = errors.Join(err, s.end(context.WithoutCancel(ctx))) }()
			if err != nil {
				return err
			}
			all, err := begin(ctx, s)
			if err != nil {
				return err
			}
			var errs []error
			for _, one := range all {
				err := one.run(ctx, o.restarts)
				printing.Lock()
				one.print(out)
				printing.Unlock()
				errs = append(errs, err)
			}
			return errors.Join(errs...)
		})
	}
	return testing.Wait()
}

// few are the objects of an engine that is restarted.
func few() numbers { return numbers{images: 5, tags: 20, volumes: 10, containers: 6} }

// external starts a daemon with an engine that is not its own.
func external(ctx context.Context, s *soak) ([]*series, error) {
	if err := s.startEngine(ctx); err != nil {
		return nil, err
	}
	if err := s.engine.fill(ctx, few()); err != nil {
		return nil, err
	}
	if err := s.startDaemon(ctx, "external"); err != nil {
		return nil, err
	}
	return []*series{{
		name: "restart of an external engine", daemon: s.daemons[0], socket: s.engine.Socket, restart: s.restartEngine,
		private: s.private, out: s.out,
	}}, nil
}

// own starts a daemon with an engine of its own.
func own(ctx context.Context, s *soak) ([]*series, error) {
	const name = "own"
	d, err := newDaemon(ctx, s.copied(), filepath.Join(s.dir, name), name)
	if d != nil {
		s.daemons = append(s.daemons, d)
	}
	if err != nil {
		return nil, err
	}
	if _, err := d.Run(ctx, "start"); err != nil {
		return nil, err
	}
	socket := func() string { return d.paths["docker_socket"] }
	o := objects{api: dockerd.NewAPI(socket())}
	if err := o.fill(ctx, few()); err != nil {
		return nil, err
	}
	return []*series{
		{name: "rdd svc restart", daemon: d, socket: socket, restart: d.restart, private: s.private, out: s.out},
		{name: "rdd stop, rdd start", daemon: d, socket: socket, restart: d.restartOwnEngine, private: s.private, out: s.out},
	}, nil
}

// restartOwnEngine stops the daemon's own engine, and starts it.
func (d *daemon) restartOwnEngine(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*startTimeout)
	defer cancel()
	for _, command := range []string{"stop", "start"} {
		if _, err := d.Run(ctx, command); err != nil {
			return err
		}
	}
	return nil
}

// run restarts a number of times. After the first restarts it compares processes and files
// after each one, and at the end the numbers.
func (s *series) run(ctx context.Context, count int) error {
	for n := range count {
		before, err := s.daemon.process()
		if err != nil {
			return err
		}
		if err := s.restart(ctx); err != nil {
			return fmt.Errorf("%s, number %d: %w", s.name, n+1, err)
		}
		if err := s.daemon.exact(ctx, s.socket()); err != nil {
			return fmt.Errorf("%s, number %d: %w", s.name, n+1, err)
		}
		err = await(ctx, "the processes and files of before", settleTimeout, func(ctx context.Context) error {
			now, err := s.daemon.reading(ctx, s.private)
			if err != nil {
				return err
			}
			if now.pid != before.PID && before.Alive() {
				return fmt.Errorf("the former daemon, process %d, has not ended", before.PID)
			}
			if n >= compared {
				if err := now.leftBehind(s.readings[:compared]); err != nil {
					return err
				}
			}
			s.readings = append(s.readings, now)
			return nil
		})
		if err != nil {
			return fmt.Errorf("%s, number %d: %w", s.name, n+1, err)
		}
	}
	return errors.Join(s.judge(), s.profile(compared), s.profile(count))
}

// profile saves the profile of the heap after a number of restarts.
func (s *series) profile(after int) error {
	name := fmt.Sprintf("%s-%d-heap.pb.gz", strings.NewReplacer(" ", "-", ",", "").Replace(s.name), after)
	if err := os.WriteFile(filepath.Join(s.out, name), s.readings[after-1].heap, 0o600); err != nil {
		return fmt.Errorf("save a profile: %w", err)
	}
	return nil
}

// judge compares the numbers of the last restarts with those of the first ones.
func (s *series) judge() error {
	var errs []error
	for _, m := range leakMeasures() {
		first, last := s.means(m)
		if limit := max(first*memoryTolerance, first+m.floor); last > limit {
			errs = append(errs, fmt.Errorf("%s: %s was %.1f after the first %d, and is %.1f after %d; the limit is %.1f",
				s.name, m.name(), first, compared, last, len(s.readings), limit))
		}
	}
	return errors.Join(errs...)
}

// leakMeasures are the measures that must not grow by restarts. The database grows until it is
// compacted, after five minutes.
func leakMeasures() (all []measure) {
	for _, m := range measures() {
		if m.judged() && !m.rate && m.column != "database" {
			all = append(all, m)
		}
	}
	return all
}

// means returns the means of a measure after the first and after the last restarts.
func (s *series) means(m measure) (first, last float64) {
	mean := func(readings []reading) float64 {
		sum := 0.0
		for _, r := range readings {
			sum += r.values[m.column] * m.scale
		}
		return sum / float64(len(readings))
	}
	return mean(s.readings[:compared]), mean(s.readings[len(s.readings)-compared:])
}

// print prints the numbers.
func (s *series) print(out io.Writer) {
	if len(s.readings) < 2*compared {
		return
	}
	fmt.Fprintf(out, "%s, %d times; means after the first and after the last %d:\n", s.name, len(s.readings), compared)
	for _, m := range leakMeasures() {
		first, last := s.means(m)
		fmt.Fprintf(out, "  %-32s %8.1f %8.1f\n", m.name(), first, last)
	}
	last := s.readings[len(s.readings)-1]
	fmt.Fprintf(out, "  processes: %s\n", strings.Join(last.processNames(), ", "))
}
