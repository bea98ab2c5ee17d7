package main

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"

	"github.com/moby/moby/client"
	"golang.org/x/sync/errgroup"
)

// bareWorkers is the number of concurrent inspections of a bare client.
const bareWorkers = 8

// bareSync lists all objects of the engine and inspects each container, image and volume,
// and does nothing with the answers. It is the least that a mirror of the engine costs.
func (b *bench) bareSync(ctx context.Context) (c cost, err error) {
	cli, err := client.New(client.WithHost("unix://" + b.docker.Socket()))
	if err != nil {
		return c, fmt.Errorf("make a client of the engine: %w", err)
	}
	defer func() { err = errors.Join(err, cli.Close()) }()
	engine, err1 := b.docker.CPU()
	own, err2 := ownCPU()
	began := time.Now()
	err3 := inspectAll(ctx, cli)
	c.wall = time.Since(began)
	ownAfter, err4 := ownCPU()
	engineAfter, err5 := b.docker.CPU()
	c.own, c.engine = ownAfter-own, engineAfter-engine
	return c, errors.Join(err1, err2, err3, err4, err5)
}

func inspectAll(ctx context.Context, cli *client.Client) error {
	containers, err1 := cli.ContainerList(ctx, client.ContainerListOptions{All: true})
	images, err2 := cli.ImageList(ctx, client.ImageListOptions{})
	volumes, err3 := cli.VolumeList(ctx, client.VolumeListOptions{})
	if err := errors.Join(err1, err2, err3); err != nil {
		return fmt.Errorf("list the engine's objects: %w", err)
	}
	jobs, inspecting := errgroup.WithContext(ctx)
	jobs.SetLimit(bareWorkers)
	for _, c := range containers.Items {
		jobs.Go(func() error {
			_, err := cli.ContainerInspect(inspecting, c.ID, client.ContainerInspectOptions{})
			return err
		})
	}
	for _, image := range images.Items {
		jobs.Go(func() error {
			_, err := cli.ImageInspect(inspecting, image.ID)
			return err
		})
	}
	for _, v := range volumes.Items {
		jobs.Go(func() error {
			_, err := cli.VolumeInspect(inspecting, v.Name, client.VolumeInspectOptions{})
			return err
		})
	}
	return jobs.Wait()
}

// ownCPU returns the processor time of this process.
func ownCPU() (time.Duration, error) {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0, fmt.Errorf("read the usage of this process: %w", err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), nil
}
