package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/rancher-sandbox/rancher-desktop-daemon/bench/report/figures"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/rddtest"
)

const (
	// syncWatchers watch all mirrors during a full sync, eventWatchers the volumes during
	// events.
	syncWatchers  = 10
	eventWatchers = 30
	// readers and sleepers watch containers; sleepers do not read.
	readers  = 200
	sleepers = 2000
	// writesBeside is the number of writes beside sleepers.
	writesBeside = 100
)

// clientMeasures measures what further clients cost.
func (b *bench) clientMeasures(ctx context.Context, d *rddtest.Daemon) error {
	s, err := b.connect(ctx, d, b.sizes.images)
	if err != nil {
		return err
	}
	b.progressf("full syncs beside clients")
	if err := b.syncsBesideClients(ctx, s); err != nil {
		return err
	}
	b.progressf("events beside clients")
	return b.eventsBesideClients(ctx, s)
}

// syncsBesideClients compares the processor time of full syncs with and without watching
// clients, and with a bare client of the engine.
func (b *bench) syncsBesideClients(ctx context.Context, s *target) error {
	all := []string{s.rdd.path(containers), s.rdd.path(images), s.rdd.path(volumes), s.rdd.path(namespaces)}
	alone := b.run.Figure(figures.Clients, "CPU of the daemon for a full sync, no client", figures.Seconds)
	beside := b.run.Figure(figures.Clients, fmt.Sprintf("CPU of the daemon for a full sync, %d clients watch all mirrors", syncWatchers), figures.Seconds)
	wall := b.run.Figure(figures.Clients, "full sync without a client, until Settled", figures.Seconds)
	total := b.run.Figure(figures.Clients, "CPU of the daemon and of dockerd for it", figures.Seconds)
	bareWall := b.run.Figure(figures.Clients, "a program that lists the same objects and inspects each, eight at a time", figures.Seconds)
	bareTotal := b.run.Figure(figures.Clients, "CPU of this program and of dockerd for it", figures.Seconds)
	// The first sync of a process loads code and grows the heap.
	for i := range b.rounds + 1 {
		bare, err := b.bareSync(ctx)
		if err != nil {
			return err
		}
		without, err := b.syncCost(ctx, s)
		if err != nil {
			return err
		}
		w, err := openWatchers(ctx, s.daemon, syncWatchers, all, true)
		if err != nil {
			return err
		}
		with, err := b.syncCost(ctx, s)
		w.close()
		if err != nil {
			return err
		}
		if i == 0 {
			continue
		}
		alone.Values = append(alone.Values, without.own.Seconds())
		beside.Values = append(beside.Values, with.own.Seconds())
		wall.Values = append(wall.Values, without.wall.Seconds())
		total.Values = append(total.Values, (without.own + without.engine).Seconds())
		bareWall.Values = append(bareWall.Values, bare.wall.Seconds())
		bareTotal.Values = append(bareTotal.Values, (bare.own + bare.engine).Seconds())
	}
	for _, r := range []struct {
		name         string
		before, with *figures.Figure
		goal         float64
	}{
		{"CPU of a full sync with these clients, times that without", alone, beside, 1.3},
		{"full sync, times the program's", bareWall, wall, 1.25},
		{"CPU of a full sync, times the program's", bareTotal, total, 1.25},
	} {
		b.add(figures.Clients, r.name, figures.Times,
			figures.Ratio(figures.Percentile(r.before.Values, 50), figures.Percentile(r.with.Values, 50)), figures.Goal(r.goal))
	}
	return nil
}

// cost is what a full sync took.
type cost struct {
	wall time.Duration
	// own is the processor time of the daemon, or of this program; engine is dockerd's.
	own, engine time.Duration
}

// syncCost measures a full sync, from the request that sets running=true until Settled.
// The mirrors are removed again.
func (b *bench) syncCost(ctx context.Context, s *target) (c cost, err error) {
	w, err := s.rdd.watchApp(ctx)
	if err != nil {
		return c, err
	}
	defer w.close()
	engine, err1 := b.docker.CPU()
	before, err2 := s.daemon.Usage()
	began := time.Now()
	generation, err3 := s.rdd.patchApp(ctx, `{"running":true}`)
	if err := errors.Join(err1, err2, err3); err != nil {
		return c, err
	}
	at, err := w.settled(ctx, generation)
	if err != nil {
		return c, err
	}
	// Later readings, and deliveries to slow clients, belong to the sync.
	if err := rddtest.Sleep(ctx, time.Second); err != nil {
		return c, err
	}
	after, err1 := s.daemon.Usage()
	engineAfter, err2 := b.docker.CPU()
	if err := errors.Join(err1, err2); err != nil {
		return c, err
	}
	c = cost{wall: at.Sub(began), own: after.CPU - before.CPU, engine: engineAfter - engine}
	generation, err = s.rdd.patchApp(ctx, `{"running":false}`)
	if err != nil {
		return c, err
	}
	_, err = w.settled(ctx, generation)
	return c, errors.Join(err, rddtest.Sleep(ctx, time.Second))
}

// eventsBesideClients compares latency and processor time of events with and without
// watching clients.
func (b *bench) eventsBesideClients(ctx context.Context, s *target) error {
	if _, err := b.syncOnce(ctx, s); err != nil {
		return err
	}
	t, err := s.rdd.track(ctx)
	if err != nil {
		return err
	}
	defer t.close()
	if _, err := t.count(ctx, b.sizes.objects(s.images)); err != nil {
		return err
	}
	latency, cpu := map[int]*figures.Figure{}, map[int]*figures.Figure{}
	for _, clients := range []int{0, eventWatchers} {
		latency[clients] = b.run.Figure(figures.Clients, fmt.Sprintf("Docker call returned to watch event, volumes, beside %d more clients", clients), figures.Milliseconds)
		cpu[clients] = b.run.Figure(figures.Clients, fmt.Sprintf("CPU of the daemon for an event, beside %d more clients", clients), figures.Milliseconds)
	}
	for range b.rounds {
		for _, clients := range []int{0, eventWatchers} {
			l, spent, err := b.eventsBeside(ctx, s, t, clients)
			if err != nil {
				return err
			}
			latency[clients].Values = append(latency[clients].Values, append(l.made, l.gone...)...)
			cpu[clients].Values = append(cpu[clients].Values, milliseconds(spent)/float64(2*b.samples))
		}
	}
	for name, f := range map[string]map[int]*figures.Figure{"p50 of the latency": latency, "CPU of an event": cpu} {
		goal := map[string]float64{"p50 of the latency": 1.5, "CPU of an event": 2}[name]
		b.add(figures.Clients, fmt.Sprintf("%s beside %d clients, times that without", name, eventWatchers), figures.Times,
			figures.Ratio(figures.Percentile(f[0].Values, 50), figures.Percentile(f[eventWatchers].Values, 50)), figures.Goal(goal))
	}
	return nil
}

func (b *bench) eventsBeside(ctx context.Context, s *target, t *tracker, clients int) (lags, time.Duration, error) {
	w, err := openWatchers(ctx, s.daemon, clients, []string{s.rdd.path(volumes)}, true)
	if err != nil {
		return lags{}, 0, err
	}
	defer w.close()
	before, err1 := s.daemon.Usage()
	l, err2 := volumeLags(ctx, b.docker.API, t, b.samples)
	after, err3 := s.daemon.Usage()
	return l, after.CPU - before.CPU, errors.Join(err1, err2, err3)
}

// watcherMeasures measures the memory of watches, and writes beside clients that do not
// read, on a new daemon.
func (b *bench) watcherMeasures(ctx context.Context, d *rddtest.Daemon) error {
	s, err := b.connect(ctx, d, b.sizes.images)
	if err != nil {
		return err
	}
	if _, err := b.syncOnce(ctx, s); err != nil {
		return err
	}
	for _, part := range []struct {
		count int
		read  bool
		goal  float64
	}{{readers, true, 90}, {sleepers, false, 200}} {
		b.progressf("%d watches", part.count)
		if err := b.watches(ctx, s, part.count, part.read, part.goal); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) watches(ctx context.Context, s *target, count int, read bool, goal float64) error {
	w, err := openWatchers(ctx, s.daemon, count, []string{s.rdd.path(containers)}, read)
	if err != nil {
		return err
	}
	defer w.close()
	if err := rddtest.Sleep(ctx, b.idle/4); err != nil {
		return err
	}
	name := fmt.Sprintf("%d clients watch", count)
	if !read {
		name += ", do not read"
	}
	if _, err := b.memory(s.daemon, name, figures.Goal(goal)); err != nil {
		return err
	}
	writes := b.run.Figure(figures.Clients, fmt.Sprintf("a change of a container's label, %s", name), figures.Milliseconds, figures.GoalAt(50, 2))
	for i := range writesBeside {
		began := time.Now()
		if err := s.rdd.label(ctx, b.fill.running[0], fmt.Sprint(i)); err != nil {
			return err
		}
		writes.Values = append(writes.Values, milliseconds(time.Since(began)))
	}
	_, err = b.memory(s.daemon, fmt.Sprintf("%s, after %d changes", name, writesBeside), figures.Goal(goal))
	return err
}

// label changes a label of a container.
func (s *apiClient) label(ctx context.Context, container, value string) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	err := s.rest.Patch(types.MergePatchType).AbsPath(s.path(containers), container).
		Body([]byte(`{"metadata":{"labels":{"bench":"` + value + `"}}}`)).Do(ctx).Error()
	if err != nil {
		return fmt.Errorf("change a label: %w", err)
	}
	return nil
}
