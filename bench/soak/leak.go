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
	// warmUp is the number of restarts after which each one must leave the processes and files
	// of before.
	warmUp = 5
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
			if n >= warmUp {
				if err := now.leftBehind(s.readings[:warmUp]); err != nil {
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
	return errors.Join(s.judge(), s.profile(warmUp), s.profile(count))
}

// profile saves the profile of the heap after a number of restarts.
func (s *series) profile(after int) error {
	name := fmt.Sprintf("%s-%d-heap.pb.gz", strings.NewReplacer(" ", "-", ",", "").Replace(s.name), after)
	if err := os.WriteFile(filepath.Join(s.out, name), s.readings[after-1].heap, 0o600); err != nil {
		return fmt.Errorf("save a profile: %w", err)
	}
	return nil
}

// judge compares the numbers of the last quarter of the restarts with those of the second
// one: the caches of a process fill during the first.
func (s *series) judge() error {
	var errs []error
	for _, m := range leakMeasures() {
		second, last := s.means(m)
		if limit := m.limit(second); last > limit {
			errs = append(errs, fmt.Errorf("%s: %s was %.1f in the second quarter of %d, and %.1f in the last one; the limit is %.1f",
				s.name, m.name(), second, len(s.readings), last, limit))
		}
	}
	return errors.Join(errs...)
}

// leakMeasures are the measures that must not grow by restarts. The database grows until it is
// compacted, after five minutes, and RssAnon varies with how much of the memory that a stop
// frees Go has returned when it is read.
func leakMeasures() (all []measure) {
	for _, m := range measures() {
		if m.judged() && !m.rate && m.column != "database" && m.column != "rss_anon" {
			all = append(all, m)
		}
	}
	return all
}

// means returns the means of a measure in the second and in the last quarter.
func (s *series) means(m measure) (second, last float64) {
	mean := func(readings []reading) float64 {
		sum := 0.0
		for _, r := range readings {
			sum += r.values[m.column] * m.scale
		}
		return sum / float64(len(readings))
	}
	quarter := len(s.readings) / 4
	return mean(s.readings[quarter : 2*quarter]), mean(s.readings[len(s.readings)-quarter:])
}

// print prints the numbers.
func (s *series) print(out io.Writer) {
	if len(s.readings) < 2*warmUp {
		return
	}
	fmt.Fprintf(out, "%s, %d times; means of the second and of the last quarter:\n", s.name, len(s.readings))
	for _, m := range leakMeasures() {
		second, last := s.means(m)
		fmt.Fprintf(out, "  %-42s %8.1f %8.1f\n", m.name(), second, last)
	}
	last := s.readings[len(s.readings)-1]
	fmt.Fprintf(out, "  processes: %s\n", strings.Join(last.processNames(), ", "))
}
