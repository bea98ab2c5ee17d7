package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/bench/report/figures"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/rddtest"
)

// pollInterval is how often a starting daemon is polled.
const pollInterval = 2 * time.Millisecond

// target is a daemon with the engine of the benchmark.
type target struct {
	daemon *rddtest.Daemon
	rdd    *apiClient
	// images in the engine.
	images int
}

// connect starts a daemon that has the engine's endpoint, and does not use it yet.
func (b *bench) connect(ctx context.Context, d *rddtest.Daemon, images int) (*target, error) {
	if _, err := d.Run(ctx, "svc", "start"); err != nil {
		return nil, err
	}
	s, err := newRdd(d)
	if err != nil {
		return nil, err
	}
	spec := fmt.Sprintf(`{"running":false,"vm":{"driver":"external","endpoint":%q}}`, b.endpoint())
	_, err = s.patchApp(ctx, spec)
	return &target{daemon: d, rdd: s, images: images}, err
}

// syncOnce measures from the request that sets running=true until the last mirror
// appears in a watch.
func (b *bench) syncOnce(ctx context.Context, s *target) (time.Duration, error) {
	t, err := s.rdd.track(ctx)
	if err != nil {
		return 0, err
	}
	defer t.close()
	w, err := s.rdd.watchApp(ctx)
	if err != nil {
		return 0, err
	}
	defer w.close()
	began := time.Now()
	generation, err := s.rdd.patchApp(ctx, `{"running":true}`)
	if err != nil {
		return 0, err
	}
	at, err := t.count(ctx, b.sizes.objects(s.images))
	if err != nil {
		return 0, err
	}
	if _, err := w.settled(ctx, generation); err != nil {
		return 0, err
	}
	want, err := contents(ctx, b.docker.API)
	if err != nil {
		return 0, err
	}
	_, err = t.exact(ctx, want)
	return at.Sub(began), err
}

// cleanOnce measures from the request that sets running=false until the last mirror
// disappears from a watch.
func (b *bench) cleanOnce(ctx context.Context, s *target) (time.Duration, error) {
	t, err := s.rdd.track(ctx)
	if err != nil {
		return 0, err
	}
	defer t.close()
	if _, err := t.count(ctx, b.sizes.objects(s.images)); err != nil {
		return 0, err
	}
	w, err := s.rdd.watchApp(ctx)
	if err != nil {
		return 0, err
	}
	defer w.close()
	began := time.Now()
	generation, err := s.rdd.patchApp(ctx, `{"running":false}`)
	if err != nil {
		return 0, err
	}
	at, err := t.count(ctx, 0)
	if err != nil {
		return 0, err
	}
	_, err = w.settled(ctx, generation)
	return at.Sub(began), err
}

// Names of figures that the baseline has, too.
func syncName(objects int) string {
	return fmt.Sprintf("full sync of %d objects, mirrors absent", objects)
}
func cleanName(objects int) string { return fmt.Sprintf("cleanup of %d mirrors", objects) }

// syncs repeats full sync and cleanup. The mirrors exist at the end.
func (b *bench) syncs(ctx context.Context, s *target) error {
	objects := b.sizes.objects(s.images)
	for range b.rounds {
		took, err := b.cleanOnce(ctx, s)
		if err != nil {
			return err
		}
		b.add(figures.Sync, cleanName(objects), figures.Seconds, took.Seconds(), figures.Goal(0.5))
		if took, err = b.syncOnce(ctx, s); err != nil {
			return err
		}
		b.add(figures.Sync, syncName(objects), figures.Seconds, took.Seconds(), figures.Goal(0.5))
		if _, err := b.cleanOnce(ctx, s); err != nil {
			return err
		}
		began := time.Now()
		if _, err := s.daemon.Run(ctx, "set", "running=true"); err != nil {
			return err
		}
		b.add(figures.Sync, "full sync by `rdd set running=true`, from the start of the command to its return", figures.Seconds, time.Since(began).Seconds())
	}
	return nil
}

// resyncs kills the daemon, and starts it again with correct mirrors.
func (b *bench) resyncs(ctx context.Context, s *target) error {
	stand := b.dir + "/proxy.sock"
	p, err := startProxy(stand, b.docker.Socket(), func() error { return b.docker.pointTo(b.docker.Socket()) })
	if err != nil {
		return err
	}
	defer p.close()
	for range b.rounds {
		if err := b.docker.pointTo(stand); err != nil {
			return err
		}
		if err := b.resync(ctx, s, p); err != nil {
			return err
		}
	}
	// The next measurements run without the proxy.
	_, err = b.restart(ctx, s, nil)
	return err
}

func (b *bench) resync(ctx context.Context, s *target, p *proxy) error {
	before, err := s.rdd.fingerprint(ctx)
	if err != nil {
		return err
	}
	began := time.Now()
	ready, err := b.restart(ctx, s, p)
	if err != nil {
		return err
	}
	var called time.Time
	select {
	case called = <-p.first:
	default:
		return errors.New("the daemon is ready and never called the engine")
	}
	after, err := s.rdd.fingerprint(ctx)
	if err != nil {
		return err
	}
	written := 0
	for name, was := range before {
		if after[name] != was {
			written++
		}
	}
	for name := range before {
		if _, there := after[name]; !there {
			written++
		}
	}
	const title = "sync of unchanged mirrors after `kill -9`"
	b.add(figures.Sync, title+", from the daemon's first call to the engine until ContainerEngineReady", figures.Seconds, ready.Sub(called).Seconds(), figures.Goal(0.15))
	b.add(figures.Sync, title+", from the kill until ContainerEngineReady", figures.Seconds, ready.Sub(began).Seconds())
	b.add(figures.Sync, title+", mirrors written", figures.Writes, float64(written), figures.Goal(0))
	return nil
}

// restart kills the daemon, starts it, and returns when ContainerEngineReady is True.
func (b *bench) restart(ctx context.Context, s *target, p *proxy) (time.Time, error) {
	if err := s.daemon.Kill(ctx); err != nil {
		return time.Time{}, err
	}
	if p != nil {
		p.reset()
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	starting, asking := errgroup.WithContext(ctx)
	starting.Go(func() error {
		_, err := s.daemon.Run(asking, "svc", "start")
		return err
	})
	var ready time.Time
	starting.Go(func() (err error) {
		ready, err = s.rdd.engineReady(asking)
		return err
	})
	return ready, starting.Wait()
}

// engineReady waits until ContainerEngineReady is True after a start. It waits for the
// new daemon first, since the API still has the conditions of the previous one. Port
// and token stay the same.
func (s *apiClient) engineReady(ctx context.Context) (time.Time, error) {
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for {
		var a app
		err := s.rest.Verb(http.MethodGet).AbsPath("/rdd/ready").MaxRetries(0).Do(ctx).Error()
		if err == nil {
			err = s.get(ctx, appPath+"/"+appv1.AppName, &a)
		}
		if err == nil && a.is(appv1.ConditionEngineReady, metav1.ConditionTrue) {
			return time.Now(), nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return time.Time{}, fmt.Errorf("wait for the daemon to be ready again: %w", errors.Join(ctx.Err(), err))
		}
	}
}
