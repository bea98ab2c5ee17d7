package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/client-go/tools/clientcmd"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/bench/baseline"
	"github.com/rancher-sandbox/rancher-desktop-daemon/bench/report/figures"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/controlplane"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine/docker"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/rddtest/dockerd"
)

// baselineRun runs the baseline with the same engine and a control plane in this
// process. Its requests use TLS, too.
type baselineRun struct {
	mirrorer *baseline.Mirrorer
	engine   docker.API
	client   *apiClient
	tracker  *tracker
	objects  int
}

// baseline measures the baseline while no daemon runs: everything for the main part,
// and the full sync for the others.
func (b *bench) baseline(ctx context.Context, images int, main bool) (err error) {
	if images > b.baselineUpTo {
		return nil
	}
	b.progressf("%d images: baseline", images)
	dir := filepath.Join(b.dir, fmt.Sprintf("baseline%d", images))
	opts := controlplane.Options{DataDir: dir + "/data", TLSDir: dir + "/tls", Kubeconfig: dir + "/kubeconfig"}
	plane, err := controlplane.Start(ctx, opts)
	if err != nil {
		return err
	}
	defer func() {
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), dockerd.StopTimeout)
		defer cancel()
		err = errors.Join(err, plane.Stop(last))
	}()
	if err := baseline.Install(ctx, plane.RESTConfig()); err != nil {
		return err
	}
	r, err := newBaselineRun(ctx, opts.Kubeconfig, "unix://"+b.docker.Socket())
	if err != nil {
		return err
	}
	defer r.tracker.close()
	r.objects = b.sizes.objects(images)
	took, err := r.sync(ctx)
	if err == nil && main {
		// The daemon has synced before, too.
		if _, err = r.clean(ctx); err == nil {
			took, err = r.sync(ctx)
		}
	}
	if err != nil {
		return err
	}
	b.run.Point(figures.CurveSync, figures.SubjectBaseline, figures.Seconds, images, took.Seconds())
	if !main {
		f := b.run.Figure(figures.Scale, scaleSync(images), figures.Seconds)
		f.Baseline = append(f.Baseline, took.Seconds())
		return nil
	}
	f := b.run.Figure(figures.Sync, syncName(r.objects), figures.Seconds)
	f.Baseline = append(f.Baseline, took.Seconds())
	if err := b.baselineEvents(ctx, r); err != nil {
		return err
	}
	took, err = r.clean(ctx)
	f = b.run.Figure(figures.Sync, cleanName(r.objects), figures.Seconds)
	f.Baseline = append(f.Baseline, took.Seconds())
	return err
}

func newBaselineRun(ctx context.Context, kubeconfig, endpoint string) (*baselineRun, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("read the kubeconfig: %w", err)
	}
	r := &baselineRun{}
	if r.engine, err = docker.Dial(endpoint); err != nil {
		return nil, err
	}
	if r.mirrorer, err = baseline.New(r.engine, config, appv1.DefaultNamespace); err != nil {
		return nil, err
	}
	if r.client, err = newClient(kubeconfig, baseline.GroupVersion); err != nil {
		return nil, err
	}
	r.tracker, err = r.client.track(ctx)
	return r, err
}

func (r *baselineRun) sync(ctx context.Context) (time.Duration, error) {
	began := time.Now()
	if err := r.mirrorer.Sync(ctx); err != nil {
		return 0, err
	}
	at, err := r.tracker.count(ctx, r.objects)
	return at.Sub(began), err
}

func (r *baselineRun) clean(ctx context.Context) (time.Duration, error) {
	began := time.Now()
	if err := r.mirrorer.Clean(ctx); err != nil {
		return 0, err
	}
	at, err := r.tracker.count(ctx, 0)
	return at.Sub(began), err
}

// baselineEvents measures the baseline while it follows the engine's events.
func (b *bench) baselineEvents(ctx context.Context, r *baselineRun) error {
	info, err := r.engine.Connect(ctx)
	if err != nil {
		return err
	}
	following, stop := context.WithCancel(ctx)
	defer stop()
	events, ended := r.engine.Events(following, info.SystemTime)
	loop, following := errgroup.WithContext(following)
	loop.Go(func() error { return r.mirrorer.Follow(following, events) })
	err = b.baselineLags(following, r)
	stop()
	if ending := <-ended; err != nil {
		err = errors.Join(err, ending) // which may be the cause
	}
	return errors.Join(err, loop.Wait())
}

func (b *bench) baselineLags(ctx context.Context, r *baselineRun) error {
	e := b.docker.API
	l, err := volumeLags(ctx, e, r.tracker, b.baselineSamples)
	if err != nil {
		return err
	}
	b.run.Figure(figures.Events, volumeCreated, figures.Milliseconds).Baseline = l.made
	b.run.Figure(figures.Events, volumeRemoved, figures.Milliseconds).Baseline = l.gone
	started, err := startLags(ctx, e, r.tracker, b.baselineSamples)
	if err != nil {
		return err
	}
	b.run.Figure(figures.Events, containerStarted, figures.Milliseconds).Baseline = started
	lag, err := burst(ctx, e, r.tracker, r.objects)
	if err != nil {
		return err
	}
	f := b.run.Figure(figures.Events, burstLag, figures.Seconds)
	f.Baseline = append(f.Baseline, lag.Seconds())
	return nil
}
