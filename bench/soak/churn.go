package main

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/rddtest/dockerd"
)

// startEvery is how many containers are created for one that is started.
const startEvery = 3

// base is the image of all containers.
const base = "base:1"

const busybox = "/bin/busybox"

// sleeping does nothing.
func sleeping() []string { return []string{busybox, "sleep", "86400"} }

// talking writes a line of 100 bytes each 200 ms.
func talking() []string {
	return []string{busybox, "sh", "-c", `while :; do /bin/busybox printf "%099d\n" 0; /bin/busybox usleep 200000; done`}
}

// engine is the engine, and its objects.
type engine struct {
	*dockerd.Daemon
	objects

	// gate is held by the calls of a load, and exclusively by a restart: so all their
	// errors are unexpected.
	gate sync.RWMutex
}

// numbers are how many objects of each kind an engine has.
type numbers struct{ images, tags, volumes, containers int }

// objects are the objects of an engine that are replaced. Each kind has one user at a time.
type objects struct {
	api  *dockerd.API
	want numbers
	// The number of objects that were created, and the containers that exist, the oldest
	// first.
	tags, volumes, created int
	ids                    []string
}

// startEngine starts an engine whose containers keep running while it is restarted.
func startEngine(ctx context.Context, dir string) (*engine, error) {
	d, err := dockerd.Start(ctx, dir, "--live-restore", "--log-opt", "max-size=1m")
	if err != nil {
		return nil, err
	}
	return &engine{Daemon: d, objects: objects{api: d.API}}, nil
}

// fill creates the objects.
func (o *objects) fill(ctx context.Context, want numbers) error {
	o.want = want
	content, err := dockerd.TarOf(dockerd.Busybox, busybox[1:])
	if err != nil {
		return err
	}
	if err := o.api.ImportImage(ctx, "base", "1", content); err != nil {
		return err
	}
	small, err := dockerd.TarOf("/dev/null", "empty")
	if err != nil {
		return err
	}
	for i := range want.images {
		if err := o.api.ImportImage(ctx, "image", strconv.Itoa(i), small); err != nil {
			return err
		}
	}
	for _, kind := range []struct {
		count  int
		create func(context.Context) error
	}{{want.tags, o.replaceTag}, {want.volumes, o.replaceVolume}, {want.containers, o.replaceContainer}} {
		for range kind.count {
			if err := kind.create(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// replaceTag adds a tag, and removes the oldest one.
func (o *objects) replaceTag(ctx context.Context) error {
	n := o.tags
	if err := o.api.Tag(ctx, fmt.Sprintf("image:%d", n%o.want.images), "churn", strconv.Itoa(n)); err != nil {
		return err
	}
	o.tags++
	if n < o.want.tags {
		return nil
	}
	return o.api.Untag(ctx, fmt.Sprintf("churn:%d", n-o.want.tags))
}

func (o *objects) replaceVolume(ctx context.Context) error {
	n := o.volumes
	if err := o.api.CreateVolume(ctx, fmt.Sprintf("churn_%d", n)); err != nil {
		return err
	}
	o.volumes++
	if n < o.want.volumes {
		return nil
	}
	return o.api.RemoveVolume(ctx, fmt.Sprintf("churn_%d", n-o.want.volumes))
}

func (o *objects) replaceContainer(ctx context.Context) error {
	id, err := o.api.CreateContainer(ctx, fmt.Sprintf("churn_%d", o.created), base, sleeping()...)
	if err != nil {
		return err
	}
	o.created++
	o.ids = append(o.ids, id)
	if o.created%startEvery == 0 {
		if err := o.api.Do(ctx, "start", id); err != nil {
			return err
		}
	}
	if len(o.ids) <= o.want.containers {
		return nil
	}
	oldest := o.ids[0]
	o.ids = o.ids[1:]
	return o.api.RemoveContainer(ctx, oldest)
}

// run creates and starts a container.
func (e *engine) run(ctx context.Context, name string, program ...string) (id string, err error) {
	if id, err = e.CreateContainer(ctx, name, base, program...); err != nil {
		return "", err
	}
	return id, e.Do(ctx, "start", id)
}

// removeAny removes an object that may be missing, by its path.
func (e *engine) removeAny(ctx context.Context, path string) error {
	err := e.Call(ctx, http.MethodDelete, path, nil, nil)
	if kind, _ := kindOf(err); err != nil && kind == "engine 404" {
		return nil
	}
	return err
}

// churns are the tasks that replace objects.
func (s *soak) churns() []task {
	gated := func(do func(context.Context) error) func(context.Context) error {
		return func(ctx context.Context) error {
			s.engine.gate.RLock()
			defer s.engine.gate.RUnlock()
			ctx, cancel := context.WithTimeout(ctx, startTimeout)
			defer cancel()
			return do(ctx)
		}
	}
	var none outages
	return []task{
		{name: "tag", every: 500 * time.Millisecond, outages: &none, do: gated(s.engine.replaceTag)},
		{name: "volume", every: time.Second, outages: &none, do: gated(s.engine.replaceVolume)},
		{name: "container", every: 6 * time.Second, outages: &none, do: gated(s.engine.replaceContainer)},
	}
}
