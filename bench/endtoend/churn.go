package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/rancher-sandbox/rancher-desktop-daemon/bench/report/figures"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/rddtest"
)

// quiet is how long a daemon gets to become idle.
const quiet = 3 * time.Second

// usage is what a daemon uses.
type usage struct {
	// cpu in percent of a core.
	cpu float64
	// waited and preempted are the voluntary and involuntary context switches in a second.
	waited, preempted float64
}

// cpu measures a daemon after some seconds, for the time of idle daemons.
func (b *bench) cpu(ctx context.Context, d *rddtest.Daemon) (usage, error) {
	if err := rddtest.Sleep(ctx, quiet); err != nil {
		return usage{}, err
	}
	before, err := d.Usage()
	if err != nil {
		return usage{}, err
	}
	began := time.Now()
	if err := rddtest.Sleep(ctx, b.idle); err != nil {
		return usage{}, err
	}
	after, err := d.Usage()
	if err != nil {
		return usage{}, err
	}
	seconds := time.Since(began).Seconds()
	return usage{
		cpu:       100 * (after.CPU - before.CPU).Seconds() / seconds,
		waited:    float64(after.Waited-before.Waited) / seconds,
		preempted: float64(after.Preempted-before.Preempted) / seconds,
	}, nil
}

// idles measures an idle daemon.
func (b *bench) idles(ctx context.Context, s *target) error {
	b.progressf("idle")
	used, err := b.cpu(ctx, s.daemon)
	if err != nil {
		return err
	}
	b.add(figures.Idle, fmt.Sprintf("CPU of an idle daemon over %.0f s, of one core", b.idle.Seconds()), figures.Percent, used.cpu, figures.Goal(0.3))
	b.add(figures.Idle, "voluntary context switches of all its threads", figures.PerSecond, used.waited)
	b.add(figures.Idle, "involuntary context switches", figures.PerSecond, used.preempted)
	_, err = b.memory(s.daemon, "after that, idle")
	return err
}

// churns creates and removes thousands of objects: two events each.
func (b *bench) churns(ctx context.Context, s *target) error {
	t, err := s.rdd.track(ctx)
	if err != nil {
		return err
	}
	defer t.close()
	if _, err := t.count(ctx, b.sizes.objects(s.images)); err != nil {
		return err
	}
	e := b.docker.API
	began := time.Now()
	jobs, making := errgroup.WithContext(ctx)
	jobs.SetLimit(parallel)
	for i := range b.churn / 4 {
		jobs.Go(func() error {
			name := hashed("Churn", i)
			return errors.Join(e.CreateVolume(making, name), e.RemoveVolume(making, name))
		})
		jobs.Go(func() error {
			tag := fmt.Sprintf("churn:%d", i)
			return errors.Join(e.Tag(making, busy, "churn", fmt.Sprint(i)), e.Untag(making, tag))
		})
	}
	if err := jobs.Wait(); err != nil {
		return err
	}
	b.add(figures.Events, fmt.Sprintf("churn of %d events, the engine's pace", b.churn), figures.PerSecond, float64(b.churn)/time.Since(began).Seconds())
	want, err := contents(ctx, e)
	if err != nil {
		return err
	}
	if _, err := t.exact(ctx, want); err != nil {
		return err
	}
	name := fmt.Sprintf("after %d events of churn", b.churn)
	if _, err := b.memory(s.daemon, name, figures.Goal(130)); err != nil {
		return err
	}
	if err := rddtest.Sleep(ctx, b.idle/2); err != nil {
		return err
	}
	_, err = b.memory(s.daemon, fmt.Sprintf("%.0f s later", (b.idle/2).Seconds()))
	return err
}
