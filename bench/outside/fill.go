package main

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"os"

	"golang.org/x/sync/errgroup"
)

// filler puts objects into an engine, and remembers what it has put there.
type filler struct {
	docker  *dockerd
	engine  *engine
	images  int
	running []string
	small   []byte
	filled  bool
}

// busy is the image of containers; it counts among the images.
const busy = "base:1"

// fill makes the containers and volumes that the sizes say, once, and images
// until there are so many: distinct ones first, and above that tags of them,
// which are mirrored one by one just the same.
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

// importAll makes distinct images until there are so many.
func (f *filler) importAll(ctx context.Context, images int) error {
	jobs, making := errgroup.WithContext(ctx)
	jobs.SetLimit(parallel)
	for ; f.images < images; f.images++ {
		tag := fmt.Sprint(f.images)
		jobs.Go(func() error { return f.engine.importImage(making, "image", tag, f.small) })
	}
	return jobs.Wait()
}

// base makes what there is from the beginning.
func (f *filler) base(ctx context.Context, n sizes) error {
	var err error
	if f.small, err = tarOf("/dev/null", "empty"); err != nil {
		return err
	}
	busybox, err := tarOf("/bin/busybox", "bin/sleep")
	if err != nil {
		return err
	}
	if err := f.engine.importImage(ctx, "base", "1", busybox); err != nil {
		return err
	}
	f.images = 1
	f.running = make([]string, n.running)
	jobs, making := errgroup.WithContext(ctx)
	jobs.SetLimit(parallel)
	for i := range n.volumes {
		jobs.Go(func() error { return f.engine.createVolume(making, fmt.Sprintf("Volume_%d", i)) })
	}
	for i := range n.containers {
		jobs.Go(func() error {
			id, err := f.engine.createContainer(making, fmt.Sprintf("container%d", i), busy)
			if err != nil || i >= n.running {
				return err
			}
			f.running[i] = id
			return f.engine.start(making, id)
		})
	}
	return jobs.Wait()
}

// tarOf is a tar with one file in it.
func tarOf(file, name string) ([]byte, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read %s (Debian's busybox-static has it): %w", file, err)
	}
	var buffer bytes.Buffer
	writer := tar.NewWriter(&buffer)
	if err := writer.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: int64(len(content))}); err != nil {
		return nil, fmt.Errorf("make a tar: %w", err)
	}
	if _, err := writer.Write(content); err != nil {
		return nil, fmt.Errorf("make a tar: %w", err)
	}
	if err := writer.Close(); err != nil {
		return nil, fmt.Errorf("make a tar: %w", err)
	}
	return buffer.Bytes(), nil
}
