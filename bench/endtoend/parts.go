package main

import (
	"context"
	"fmt"

	"github.com/rancher-sandbox/rancher-desktop-daemon/bench/report/figures"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/rddtest"
)

// mainPart measures everything at the size of the goals.
func (b *bench) mainPart(ctx context.Context) error {
	if err := b.filledWith(ctx, b.sizes.images); err != nil {
		return err
	}
	for _, part := range []func(context.Context, *rddtest.Daemon) error{b.mainMeasures, b.workMeasures, b.healthMeasures, b.clientMeasures, b.watcherMeasures} {
		if err := b.withDaemon(ctx, part); err != nil {
			return err
		}
	}
	return b.baseline(ctx, b.sizes.images, true)
}

// onePart measures one part at the size of the goals.
func (b *bench) onePart(ctx context.Context) error {
	part, ok := map[string]func(context.Context, *rddtest.Daemon) error{
		"main": b.mainMeasures, "work": b.workMeasures, "health": b.healthMeasures,
		"clients": b.clientMeasures, "watchers": b.watcherMeasures,
	}[b.only]
	if !ok {
		return fmt.Errorf("there is no part %q: it is main, work, health, clients or watchers", b.only)
	}
	if err := b.filledWith(ctx, b.sizes.images); err != nil {
		return err
	}
	return b.withDaemon(ctx, part)
}

func (b *bench) filledWith(ctx context.Context, images int) error {
	b.progressf("filling the engine: %d images", images)
	return b.fill.fill(ctx, b.sizes, images)
}

func (b *bench) mainMeasures(ctx context.Context, d *rddtest.Daemon) error {
	s, err := b.connect(ctx, d, b.sizes.images)
	if err != nil {
		return err
	}
	if _, err := b.memory(d, "API only"); err != nil {
		return err
	}
	objects := b.sizes.objects(s.images)
	b.progressf("%d objects: sync", objects)
	if err := b.firstSync(ctx, s); err != nil {
		return err
	}
	if err := b.idles(ctx, s); err != nil {
		return err
	}
	for _, step := range []struct {
		name string
		do   func(context.Context, *target) error
	}{
		{"sync and cleanup", b.syncs},
		{"kill and sync again", b.resyncs},
		{"latency", b.events},
		{"restarts of dockerd", b.recoveries},
		{"churn", b.churns},
	} {
		b.progressf("%d objects: %s", objects, step.name)
		if err := step.do(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// workMeasures measures what clients do with containers, on a new daemon: the memory of
// streams would hide in what an old one has not given back.
func (b *bench) workMeasures(ctx context.Context, d *rddtest.Daemon) error {
	s, err := b.connect(ctx, d, b.sizes.images)
	if err != nil {
		return err
	}
	if _, err := b.syncOnce(ctx, s); err != nil {
		return err
	}
	b.progressf("streams")
	if err := b.streams(ctx, s); err != nil {
		return err
	}
	b.progressf("requests")
	return b.creates(ctx, s)
}

// scaleGoal returns the goals for a number of images, if there are any: seconds of a
// full sync, and MB of private memory after it.
func scaleGoal(images int) (seconds, private float64, ok bool) {
	switch images {
	case 500:
		return 0.5, 100, true
	case 10000:
		return 6, 350, true
	default:
		return 0, 0, false
	}
}

// firstSync measures the sync of a new daemon, and its memory afterwards: points of the
// curves.
func (b *bench) firstSync(ctx context.Context, s *target) error {
	took, err := b.syncOnce(ctx, s)
	if err != nil {
		return err
	}
	objects := b.sizes.objects(s.images)
	var syncRows, memoryRows []figures.Row
	if seconds, private, ok := scaleGoal(s.images); ok {
		syncRows, memoryRows = []figures.Row{figures.Goal(seconds)}, []figures.Row{figures.Goal(private)}
		b.run.Point(figures.CurveSync, figures.SubjectGoal, figures.Seconds, s.images, seconds)
		b.run.Point(figures.CurveMemory, figures.SubjectGoal, figures.Megabytes, objects, private)
	}
	b.run.Point(figures.CurveSync, figures.SubjectRdd, figures.Seconds, s.images, took.Seconds())
	if s.images == b.sizes.images {
		b.add(figures.Sync, "full sync of a daemon that has mirrored nothing before", figures.Seconds, took.Seconds(), syncRows...)
	} else {
		b.add(figures.Scale, scaleSync(s.images), figures.Seconds, took.Seconds(), syncRows...)
	}
	memory, err := b.memory(s.daemon, fmt.Sprintf("with %d mirrors, right after a full sync", objects), memoryRows...)
	b.run.Point(figures.CurveMemory, figures.SubjectRdd, figures.Megabytes, objects, memory)
	return err
}

// scaleSync is the name of a figure that the baseline has, too.
func scaleSync(images int) string { return fmt.Sprintf("full sync with %d images", images) }

// scalePart measures what should not depend on the number of objects.
func (b *bench) scalePart(ctx context.Context, images int) error {
	if err := b.filledWith(ctx, images); err != nil {
		return err
	}
	err := b.withDaemon(ctx, func(ctx context.Context, d *rddtest.Daemon) error {
		b.progressf("%d images: sync, latency", images)
		s, err := b.connect(ctx, d, images)
		if err != nil {
			return err
		}
		if err := b.firstSync(ctx, s); err != nil {
			return err
		}
		return b.scaleEvents(ctx, s)
	})
	if err != nil {
		return err
	}
	return b.baseline(ctx, images, false)
}

// scaleEvents measures the latency of an event, and compares it with that of the
// smallest size of the run.
func (b *bench) scaleEvents(ctx context.Context, s *target) error {
	t, err := s.rdd.track(ctx)
	if err != nil {
		return err
	}
	defer t.close()
	if _, err := t.count(ctx, b.sizes.objects(s.images)); err != nil {
		return err
	}
	before, err := s.rdd.revision(ctx)
	if err != nil {
		return err
	}
	l, err := volumeLags(ctx, b.docker.API, t, b.samples)
	if err != nil {
		return err
	}
	after, err := s.rdd.revision(ctx)
	if err != nil {
		return err
	}
	const writes = "writes to the API for an event (a volume comes and goes), with %d images"
	b.add(figures.Scale, fmt.Sprintf(writes, s.images), figures.PerEvent, float64(after-before)/float64(2*b.samples))
	latency := b.run.Figure(figures.Scale, latencyAt(s.images), figures.Milliseconds, eventGoals()...)
	latency.Values = append(l.made, l.gone...)
	smallest := b.sizes.scale[0]
	if s.images == smallest {
		return nil
	}
	few := b.run.Figure(figures.Scale, latencyAt(smallest), figures.Milliseconds)
	for _, percentile := range []float64{50, 99} {
		b.add(figures.Scale, fmt.Sprintf("p%g of the latency with %d images, times that with %d", percentile, s.images, smallest), figures.Times,
			figures.Ratio(figures.Percentile(few.Values, percentile), figures.Percentile(latency.Values, percentile)), figures.Goal(1.3))
	}
	return nil
}

func latencyAt(images int) string {
	return fmt.Sprintf("Docker call returned to watch event, volumes, with %d images", images)
}
