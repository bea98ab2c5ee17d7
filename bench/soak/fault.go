package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"syscall"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/rddtest"
)

// faults restarts the engine and a daemon by a schedule that is the same in each quarter.
func (s *soak) faults(ctx context.Context) {
	period := periodIn(s.quarter, s.period)
	for next := s.began; ; next = next.Add(period) {
		if rddtest.Sleep(ctx, time.Until(next.Add(period/4))) != nil {
			return
		}
		s.fault(ctx, "restart of the engine", s.restartEngine)
		if rddtest.Sleep(ctx, time.Until(next.Add(period*3/4))) != nil {
			return
		}
		for _, d := range s.daemons {
			if d.name == restarted {
				s.fault(ctx, "restart of the daemon", d.restart)
			}
		}
	}
}

// periodIn returns a period of about a length, of which a quarter has a whole number.
func periodIn(quarter, about time.Duration) time.Duration {
	return quarter / time.Duration(max(1, math.Round(float64(quarter)/float64(about))))
}

// fault completes a restart, and counts it. An error of a restart is never expected.
func (s *soak) fault(ctx context.Context, name string, restart func(context.Context) error) {
	var none outages
	began := time.Now()
	s.tally.add(name, began, &none, restart(context.WithoutCancel(ctx)))
}

// restartEngine ends the engine, and starts it again. It returns when all daemons have
// connected to it.
func (s *soak) restartEngine(ctx context.Context) error {
	s.engine.gate.Lock()
	defer s.engine.gate.Unlock()
	for _, d := range s.daemons {
		defer d.outages.begin()()
	}
	began := time.Now()
	if err := s.engine.Down(syscall.SIGTERM); err != nil {
		return fmt.Errorf("end the engine: %w", err)
	}
	if _, err := s.engine.Up(ctx); err != nil {
		return fmt.Errorf("start the engine: %w", err)
	}
	var errs []error
	for _, d := range s.daemons {
		errs = append(errs, d.reconnected(ctx, began))
	}
	return errors.Join(errs...)
}

// restart restarts the daemon, and returns when it has connected to its engine.
func (d *daemon) restart(ctx context.Context) error {
	defer d.outages.begin()()
	if err := d.start(ctx, "restart"); err != nil {
		return err
	}
	return d.connected(ctx)
}
