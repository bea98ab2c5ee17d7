package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/bench/report/figures"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/dockersim"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/rddtest"
)

const (
	// probed is the number of containers with a health check.
	probed = 100
	// probedGoal is what they may cost the daemon, in percent of a core.
	probedGoal = 0.5
	// warmUp is the time after which the next full sync is at least a minute away.
	warmUp = 75 * time.Second
)

// healthMeasures measures the CPU of a daemon while each container has a probe a second,
// which changes nothing. A real engine would need several cores for them, so that the
// engine is simulated in this process.
func (b *bench) healthMeasures(ctx context.Context, d *rddtest.Daemon) (err error) {
	b.progressf("health checks")
	sim, err := dockersim.New(filepath.Join(b.dir, "sim.sock"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, sim.Close()) }()
	ids, err := probedContainers(sim)
	if err != nil {
		return err
	}
	if _, err := d.Run(ctx, "svc", "start"); err != nil {
		return err
	}
	s, err := newRdd(d)
	if err != nil {
		return err
	}
	w, err := s.watchApp(ctx)
	if err != nil {
		return err
	}
	defer w.close()
	generation, err := s.patchApp(ctx, fmt.Sprintf(`{"running":true,"vm":{"driver":"external","endpoint":%q}}`, sim.Endpoint()))
	if err != nil {
		return err
	}
	if _, err := w.settled(ctx, generation); err != nil {
		return err
	}
	// The first pauses between full syncs are short.
	if err := rddtest.Sleep(ctx, warmUp); err != nil {
		return err
	}
	without, err := b.cpu(ctx, d)
	if err != nil {
		return err
	}
	probing, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- probeAll(probing, sim, ids) }()
	defer func() { stop(); err = errors.Join(err, <-ended) }()
	with, err := b.cpu(ctx, d)
	if err != nil {
		return err
	}
	const cpu = "CPU of a daemon with %d containers and %s, of one core"
	b.add(figures.Idle, fmt.Sprintf(cpu, probed, "no probe"), figures.Percent, without.cpu)
	b.add(figures.Idle, fmt.Sprintf(cpu, probed, "a health probe a second each"), figures.Percent, with.cpu)
	b.add(figures.Idle, fmt.Sprintf("what these %d probes a second cost, of one core", probed), figures.Percent, with.cpu-without.cpu, figures.Goal(probedGoal))
	return nil
}

// probedContainers creates healthy containers, and returns their IDs.
func probedContainers(sim *dockersim.Engine) ([]string, error) {
	sim.AddImage(busy)
	ids := make([]string, probed)
	for i := range ids {
		ids[i] = sim.AddContainerSpec(dockersim.ContainerSpec{Name: fmt.Sprint("probed", i), Image: busy, HealthRetries: 3})
		if err := errors.Join(sim.StartContainer(ids[i]), sim.Probe(ids[i], 0, "ok")); err != nil {
			return nil, err
		}
	}
	return ids, nil
}

// probeAll probes each container once a second, one after the other, until ctx ends.
func probeAll(ctx context.Context, sim *dockersim.Engine, ids []string) error {
	tick := time.NewTicker(time.Second / time.Duration(len(ids)))
	defer tick.Stop()
	for i := 0; ; i++ {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
		if err := sim.Probe(ids[i%len(ids)], 0, "ok"); err != nil {
			return err
		}
	}
}
