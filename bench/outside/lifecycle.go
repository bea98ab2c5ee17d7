package main

import (
	"context"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
)

// timed runs one rdd command and adds how long it took.
func timed(ctx context.Context, d *daemon, r *report, name string, args ...string) error {
	began := time.Now()
	if _, err := d.rdd(ctx, args...); err != nil {
		return err
	}
	r.took(name, time.Since(began))
	return nil
}

// firstStart measures from an empty home directory.
func firstStart(ctx context.Context, d *daemon, r *report, _ sizes) error {
	if err := timed(ctx, d, r, "first start, until the API answers (rdd svc start)", "svc", "start"); err != nil {
		return err
	}
	if err := r.memory(ctx, "API only", d); err != nil {
		return err
	}
	return timed(ctx, d, r, "first start of the engine, until mirrored (rdd set running=true)", "set", "running=true")
}

// laterStart measures a start with what an earlier one left.
func laterStart(ctx context.Context, d *daemon, r *report, _ sizes) error {
	if err := timed(ctx, d, r, "stop of engine and daemon (rdd svc stop)", "svc", "stop"); err != nil {
		return err
	}
	if err := timed(ctx, d, r, "later start, until the API answers", "svc", "start"); err != nil {
		return err
	}
	return timed(ctx, d, r, "later start of the engine, until mirrored, from there", "set", "running=true")
}

// fullSync stops and starts the engine under all its objects, and watches the App.
func fullSync(ctx context.Context, d *daemon, r *report, _ sizes) error {
	if err := timed(ctx, d, r, "stop of the full engine, mirrors gone (rdd set running=false)", "set", "running=false"); err != nil {
		return err
	}
	k, err := newKube(ctx, d)
	if err != nil {
		return err
	}
	watch, err := k.app().Watch(ctx, metav1.ListOptions{})
	if err != nil {
		return fmt.Errorf("watch the App: %w", err)
	}
	defer watch.Stop()
	began := time.Now()
	if _, err := d.rdd(ctx, "set", "running=true", "--wait=false"); err != nil {
		return err
	}
	var up time.Time
	deadline := time.After(patience)
	for {
		select {
		case event := <-watch.ResultChan():
			app, ok := event.Object.(*unstructured.Unstructured)
			if !ok {
				return fmt.Errorf("watch the App: it ended with %v", event.Object)
			}
			if up.IsZero() && conditionTrue(app, appv1.ConditionRunning) {
				up = time.Now()
			}
			if !up.IsZero() && conditionTrue(app, appv1.ConditionEngineReady) {
				r.took("start of the full engine", up.Sub(began))
				r.took("full sync, from the engine's start to every object mirrored", time.Since(up))
				return r.memory(ctx, "after a full sync", d)
			}
		case <-deadline:
			return fmt.Errorf("the engine was not ready after %s", patience)
		}
	}
}

// crash kills the daemon, changes the engine by one volume meanwhile, starts
// the daemon and counts what was written besides that volume.
func crash(ctx context.Context, d *daemon, r *report, _ sizes) error {
	k, err := newKube(ctx, d)
	if err != nil {
		return err
	}
	before, err := k.fingerprint(ctx)
	if err != nil {
		return err
	}
	e, err := connect(ctx, d)
	if err != nil {
		return err
	}
	if err := d.kill(ctx); err != nil {
		return err
	}
	if err := e.createVolume(ctx, "made-while-dead"); err != nil {
		return err
	}
	began := time.Now()
	if _, err := d.rdd(ctx, "svc", "start"); err != nil {
		return err
	}
	r.took("after kill -9: start, until the API answers", time.Since(began))
	if k, err = newKube(ctx, d); err != nil {
		return err
	}
	var after map[string]string
	if err := k.waitFor(ctx, "the volume that was made meanwhile", func(ctx context.Context) (bool, error) {
		after, err = k.fingerprint(ctx)
		return len(after) == len(before)+1, err
	}); err != nil {
		return err
	}
	r.took("after kill -9: start, until mirrored again", time.Since(began))
	written := 0
	for name, was := range before {
		if after[name] != was {
			written++
		}
	}
	r.add("after kill -9: mirrors written without need", "%d of %d", written, len(before))
	return r.memory(ctx, "after a restart", d)
}

// cleanUp stops everything.
func cleanUp(ctx context.Context, d *daemon, r *report, _ sizes) error {
	if err := r.memory(ctx, "at the end", d); err != nil {
		return err
	}
	if err := timed(ctx, d, r, "stop of the full engine and its daemon (rdd svc stop)", "svc", "stop"); err != nil {
		return err
	}
	return timed(ctx, d, r, "removal of everything (rdd svc delete)", "svc", "delete")
}
