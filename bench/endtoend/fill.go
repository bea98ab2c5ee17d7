package main

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/rddtest/dockerd"
)

// filler creates the objects of an engine.
type filler struct {
	docker  *testEngine
	engine  *dockerd.API
	images  int
	running []string
	small   []byte
	filled  bool
}

// busy is the image of all containers. It is one of the counted images.
const busy = "base:1"

// fill creates the containers and volumes once, and adds images up to a number:
// distinct ones first, and then tags of them, which have a mirror each.
func (f *filler) fill(ctx context.Context, n sizes, images int) error {
	if !f.filled {
		if err := f.base(ctx, n); err != nil {
			return err
		}
		f.filled = true
	}
	if err := f.importAll(ctx, min(images, n.distinct)); err != nil || f.images >= images {
		return err
	}
	tags := map[string]string{}
	for ; f.images < images; f.images++ {
		tags[fmt.Sprintf("image:%d", f.images)] = fmt.Sprintf("image:%d", 1+f.images%(n.distinct-1))
	}
	return f.docker.tagAll(ctx, tags)
}

// importAll adds distinct images up to a number.
func (f *filler) importAll(ctx context.Context, images int) error {
	jobs, making := errgroup.WithContext(ctx)
	jobs.SetLimit(parallel)
	for ; f.images < images; f.images++ {
		tag := fmt.Sprint(f.images)
		jobs.Go(func() error { return f.engine.ImportImage(making, "image", tag, f.small) })
	}
	return jobs.Wait()
}

// base creates the containers, the volumes and their image.
func (f *filler) base(ctx context.Context, n sizes) error {
	var err error
	if f.small, err = dockerd.TarOf("/dev/null", "empty"); err != nil {
		return err
	}
	busybox, err := dockerd.TarOf(dockerd.Busybox, "bin/sleep")
	if err != nil {
		return err
	}
	if err := f.engine.ImportImage(ctx, "base", "1", busybox); err != nil {
		return err
	}
	f.images = 1
	f.running = make([]string, n.running)
	jobs, making := errgroup.WithContext(ctx)
	jobs.SetLimit(parallel)
	for i := range n.volumes {
		jobs.Go(func() error { return f.engine.CreateVolume(making, fmt.Sprintf("Volume_%d", i)) })
	}
	for i := range n.containers {
		jobs.Go(func() error {
			id, err := f.engine.CreateContainer(making, fmt.Sprintf("container%d", i), busy)
			if err != nil || i >= n.running {
				return err
			}
			f.running[i] = id
			return f.engine.Do(making, "start", id)
		})
	}
	return jobs.Wait()
}
