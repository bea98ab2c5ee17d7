package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// Names of the daemons.
const (
	lasting   = "lasting"
	restarted = "restarted"
)

// soak is an engine, and the daemons that mirror it.
type soak struct {
	options

	stdout io.Writer
	// dir is removed at the end.
	dir     string
	engine  *engine
	daemons []*daemon
	tally   *tally
	// began is when the load began. It lasts for four quarters.
	began   time.Time
	quarter time.Duration
}

// task is what is done again and again, in a goroutine of its own.
type task struct {
	name    string
	every   time.Duration
	outages *outages
	do      func(context.Context) error
}

// newSoak creates a directory, and copies the program into it. The caller must call end, also
// after an error.
func newSoak(o options, out io.Writer) (*soak, error) {
	s := &soak{options: o, stdout: out, tally: newTally()}
	var err error
	// The path of a socket must be short.
	if s.dir, err = os.MkdirTemp("", "soak"); err != nil {
		return s, fmt.Errorf("create a directory: %w", err)
	}
	return s, copyFile(s.copied(), o.program)
}

// copied is the program that runs, which a build does not replace.
func (s *soak) copied() string { return filepath.Join(s.dir, "rdd") }

// startEngine starts an engine.
func (s *soak) startEngine(ctx context.Context) (err error) {
	dir := filepath.Join(s.dir, "engine")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return fmt.Errorf("create a directory: %w", err)
	}
	s.engine, err = startEngine(ctx, dir)
	return err
}

// startDaemon starts a daemon that mirrors the engine.
func (s *soak) startDaemon(ctx context.Context, name string) error {
	d, err := newDaemon(ctx, s.copied(), filepath.Join(s.dir, name), name)
	if d != nil {
		s.daemons = append(s.daemons, d)
	}
	if err != nil {
		return err
	}
	_, err = d.Run(ctx, "set", "running=true", "vm.driver=external", "vm.endpoint=unix://"+s.engine.Socket())
	return err
}

// copyFile copies a program.
func copyFile(to, from string) error {
	source, err := os.Open(from)
	if err != nil {
		return fmt.Errorf("copy the program: %w", err)
	}
	defer source.Close()
	target, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o700)
	if err != nil {
		return fmt.Errorf("copy the program: %w", err)
	}
	_, err = io.Copy(target, source)
	if err := errors.Join(err, target.Close()); err != nil {
		return fmt.Errorf("copy the program: %w", err)
	}
	return nil
}

// end ends all processes, and removes the directory.
func (s *soak) end(ctx context.Context) error {
	var errs []error
	for _, d := range s.daemons {
		errs = append(errs, d.Remove(ctx))
		for _, left := range d.Leftovers() {
			errs = append(errs, fmt.Errorf("after the end: %s", left))
		}
	}
	if s.engine != nil {
		errs = append(errs, s.engine.Close(ctx))
	}
	if s.dir != "" {
		errs = append(errs, os.RemoveAll(s.dir))
	}
	return errors.Join(errs...)
}

// soakFor runs the load for some hours, and judges it.
func soakFor(ctx context.Context, o options, out io.Writer) (err error) {
	s, err := newSoak(o, out)
	defer func() { err = errors.Join(err, s.end(context.WithoutCancel(ctx))) }()
	if err != nil {
		return err
	}
	if err := s.startEngine(ctx); err != nil {
		return err
	}
	for _, name := range []string{lasting, restarted} {
		if err := s.startDaemon(ctx, name); err != nil {
			return err
		}
	}
	if err := s.load(ctx); err != nil {
		return err
	}
	return report(o, out)
}

// load fills the engine, runs all tasks, and writes what was measured.
func (s *soak) load(ctx context.Context) error {
	if err := s.engine.fill(ctx, numbers{images: 20, tags: 200, volumes: 100, containers: 60}); err != nil {
		return err
	}
	tasks := s.churns()
	for _, d := range s.daemons {
		more, err := s.users(ctx, d)
		if err != nil {
			return err
		}
		tasks = append(tasks, more...)
	}
	if err := s.exact(ctx); err != nil {
		return err
	}
	s.began, s.quarter = time.Now(), time.Duration(s.hours*float64(time.Hour)/4)
	fmt.Fprintf(s.stdout, "%s: %d tasks for %s; rdd and its engine are in %s\n", s.began.UTC().Format(time.TimeOnly), len(tasks), 4*s.quarter, s.dir)
	working, rest := context.WithDeadline(ctx, s.began.Add(4*s.quarter))
	defer rest()
	var busy sync.WaitGroup
	for _, t := range tasks {
		busy.Go(func() { s.repeat(working, t) })
	}
	busy.Go(func() { s.faults(working) })
	err := s.sample(working)
	rest()
	busy.Wait()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return errors.Join(err, s.exact(ctx), s.writeSummary())
}

// repeat runs a task until ctx ends. It completes the operation that is under way then.
func (s *soak) repeat(ctx context.Context, t task) {
	tick := time.NewTicker(t.every)
	defer tick.Stop()
	for {
		began := time.Now()
		err := t.do(context.WithoutCancel(ctx))
		s.tally.add(t.name, began, t.outages, err)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// exact waits until the mirrors of all daemons equal the engine.
func (s *soak) exact(ctx context.Context) error {
	for _, d := range s.daemons {
		if err := d.exact(ctx, s.engine.Socket()); err != nil {
			return err
		}
	}
	return nil
}
