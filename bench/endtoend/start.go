package main

import (
	"context"
	"fmt"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/bench/report/figures"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/rddtest"
)

const (
	firstGoal = 2.0
	laterGoal = 0.8
)

// starts measures starts in an empty home directory, with a running engine and with
// rdd's own.
func (b *bench) starts(ctx context.Context) error {
	for round := range b.rounds {
		b.progressf("starts, round %d", round+1)
		if err := b.withDaemon(ctx, b.startsWithEngine); err != nil {
			return err
		}
		if err := b.withDaemon(ctx, b.startsOwnEngine); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) startsWithEngine(ctx context.Context, d *rddtest.Daemon) error {
	const there = "Settled with an engine that answers already"
	spec := fmt.Sprintf(`{"running":true,"vm":{"driver":"external","endpoint":%q}}`, b.endpoint())
	if err := b.start(ctx, d, "first start", there, spec, firstGoal); err != nil {
		return err
	}
	if _, err := d.Run(ctx, "svc", "stop"); err != nil {
		return err
	}
	return b.start(ctx, d, "later start", there, "", laterGoal)
}

func (b *bench) startsOwnEngine(ctx context.Context, d *rddtest.Daemon) error {
	const own = "Settled with a dockerd that rdd itself starts"
	if err := b.start(ctx, d, "first start", own, `{"running":true,"vm":{"driver":"native"}}`, firstGoal); err != nil {
		return err
	}
	if _, err := d.Run(ctx, "svc", "stop"); err != nil {
		return err
	}
	if err := b.start(ctx, d, "later start", own, "", laterGoal); err != nil {
		return err
	}
	if _, err := d.Run(ctx, "svc", "stop", "--keep-vm"); err != nil {
		return err
	}
	return b.start(ctx, d, "later start", "Settled, after adoption of the running dockerd", "", laterGoal)
}

// start runs `rdd svc start`, changes the App's spec unless spec is empty, and waits
// until the App has settled. Both times start with the command.
func (b *bench) start(ctx context.Context, d *rddtest.Daemon, which, until, spec string, goal float64) error {
	began := time.Now()
	if _, err := d.Run(ctx, "svc", "start"); err != nil {
		return err
	}
	b.add(figures.Start, which+", API answering (`rdd svc start` returns)", figures.Seconds, time.Since(began).Seconds(), figures.Goal(goal))
	s, err := newRdd(d)
	if err != nil {
		return err
	}
	w, err := s.watchApp(ctx)
	if err != nil {
		return err
	}
	defer w.close()
	var generation int64
	if spec != "" {
		if generation, err = s.patchApp(ctx, spec); err != nil {
			return err
		}
	}
	at, err := w.settled(ctx, generation)
	if err != nil {
		return err
	}
	b.add(figures.Start, which+", "+until, figures.Seconds, at.Sub(began).Seconds(), figures.Goal(goal))
	return nil
}
