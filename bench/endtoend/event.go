package main

import (
	"context"
	"fmt"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/bench/report/figures"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/rddtest/dockerd"
)

// eventGoals returns the goals of every latency.
func eventGoals() []figures.Row { return []figures.Row{figures.GoalAt(50, 2), figures.GoalAt(99, 5)} }

// Names of figures that the baseline has, too.
const (
	volumeCreated    = "Docker call returned to watch event over TLS, volume created"
	volumeRemoved    = "Docker call returned to watch event over TLS, volume removed"
	containerStarted = "Docker call returned to watch event over TLS, container started"
	burstLag         = "burst of 100 creates, lag after the last"
)

const burstSize = 100

// lags are latencies in milliseconds. The latency is 0 for an event before the return
// of the engine's call.
type lags struct{ made, gone []float64 }

// volumeLags creates and removes volumes, one at a time.
func volumeLags(ctx context.Context, e *dockerd.API, t *tracker, count int) (lags, error) {
	var l lags
	for i := range count {
		name := hashed("Latency", i)
		if err := e.CreateVolume(ctx, name); err != nil {
			return l, err
		}
		returned := time.Now()
		at, err := t.appeared(ctx, volumes+"/"+name, "")
		if err != nil {
			return l, err
		}
		l.made = append(l.made, milliseconds(at.Sub(returned)))
		if err := e.RemoveVolume(ctx, name); err != nil {
			return l, err
		}
		returned = time.Now()
		if at, err = t.vanished(ctx, volumes+"/"+name); err != nil {
			return l, err
		}
		l.gone = append(l.gone, milliseconds(at.Sub(returned)))
	}
	return l, nil
}

// startLags starts one container repeatedly.
func startLags(ctx context.Context, e *dockerd.API, t *tracker, count int) ([]float64, error) {
	id, err := e.CreateContainer(ctx, "latency", busy)
	if err != nil {
		return nil, err
	}
	if _, err := t.appeared(ctx, containers+"/"+id, "created"); err != nil {
		return nil, err
	}
	var all []float64
	for range count {
		if err := e.Do(ctx, "start", id); err != nil {
			return nil, err
		}
		returned := time.Now()
		at, err := t.appeared(ctx, containers+"/"+id, "running")
		if err != nil {
			return nil, err
		}
		all = append(all, milliseconds(at.Sub(returned)))
		if err := e.Do(ctx, "kill", id); err != nil {
			return nil, err
		}
		if _, err := t.appeared(ctx, containers+"/"+id, "exited"); err != nil {
			return nil, err
		}
	}
	if err := e.RemoveContainer(ctx, id); err != nil {
		return nil, err
	}
	_, err = t.vanished(ctx, containers+"/"+id)
	return all, err
}

// burst creates volumes as fast as the engine can. It returns the time from the return
// of the last call until all are mirrored.
func burst(ctx context.Context, e *dockerd.API, t *tracker, objects int) (time.Duration, error) {
	each := func(do func(context.Context, string) error) error {
		jobs, making := errgroup.WithContext(ctx)
		jobs.SetLimit(parallel)
		for i := range burstSize {
			jobs.Go(func() error { return do(making, hashed("Burst", i)) })
		}
		return jobs.Wait()
	}
	if err := each(e.CreateVolume); err != nil {
		return 0, err
	}
	returned := time.Now()
	at, err := t.count(ctx, objects+burstSize)
	if err != nil {
		return 0, err
	}
	if err := each(e.RemoveVolume); err != nil {
		return 0, err
	}
	_, err = t.count(ctx, objects)
	return max(at.Sub(returned), 0), err
}

// events measures the cost of one event and of many.
func (b *bench) events(ctx context.Context, s *target) error {
	t, err := s.rdd.track(ctx)
	if err != nil {
		return err
	}
	defer t.close()
	objects := b.sizes.objects(s.images)
	if _, err := t.count(ctx, objects); err != nil {
		return err
	}
	l, err := volumeLags(ctx, b.docker.API, t, b.samples)
	if err != nil {
		return err
	}
	b.run.Figure(figures.Events, volumeCreated, figures.Milliseconds, eventGoals()...).Values = l.made
	b.run.Figure(figures.Events, volumeRemoved, figures.Milliseconds, eventGoals()...).Values = l.gone
	b.progressf("container starts")
	started, err := startLags(ctx, b.docker.API, t, b.samples)
	if err != nil {
		return err
	}
	b.run.Figure(figures.Events, containerStarted, figures.Milliseconds, eventGoals()...).Values = started
	for range b.rounds {
		lag, err := burst(ctx, b.docker.API, t, objects)
		if err != nil {
			return err
		}
		b.add(figures.Events, burstLag, figures.Seconds, lag.Seconds(), figures.Goal(0.3))
	}
	return nil
}

// recoveries restarts the engine under running containers.
func (b *bench) recoveries(ctx context.Context, s *target) error {
	t, err := s.rdd.track(ctx)
	if err != nil {
		return err
	}
	defer t.close()
	w, err := s.rdd.watchApp(ctx)
	if err != nil {
		return err
	}
	defer w.close()
	ready := func(status metav1.ConditionStatus) (time.Time, error) {
		return w.await(ctx, fmt.Sprintf("ContainerEngineReady=%s", status), func(a *app) bool { return a.is(appv1.ConditionEngineReady, status) })
	}
	for range b.rounds {
		if err := b.docker.Down(syscall.SIGTERM); err != nil {
			return err
		}
		if _, err := ready(metav1.ConditionFalse); err != nil {
			return err
		}
		answered, err := b.docker.Up(ctx)
		if err != nil {
			return err
		}
		at, err := ready(metav1.ConditionTrue)
		if err != nil {
			return err
		}
		want, err := contents(ctx, b.docker.API)
		if err != nil {
			return err
		}
		exact, err := t.exact(ctx, want)
		if err != nil {
			return err
		}
		if exact.After(at) {
			at = exact
		}
		b.add(figures.Events, "dockerd restarted under running containers, from its first answer until mirrors are exact and ContainerEngineReady",
			figures.Seconds, max(at.Sub(answered), 0).Seconds(), figures.Goal(0.5))
	}
	return nil
}
