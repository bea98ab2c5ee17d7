package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/rddtest"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/rddtest/dockerd"
)

// chaos is one run of the command.
type chaos struct {
	options

	out io.Writer
	// dir is removed after the run.
	dir      string
	dockerd  *dockerd.Daemon
	registry *registry
	recorder *recorder
	starts   *startLog
	link     *link
	disk     disk
	daemon   *daemon
	pool     *pool
	ledger   *ledger
	content  []byte
	results  results
	// unfollow ends starts.
	unfollow func()
	// before is the snapshot of the previous round.
	before *snapshot
}

// begin starts an engine and a daemon that mirrors it. The caller must call end, also
// after an error.
func begin(ctx context.Context, o options, out io.Writer) (*chaos, error) {
	c := &chaos{options: o, out: out, pool: &pool{}, ledger: newLedger()}
	var err error
	// The path of a socket must be short.
	if c.dir, err = os.MkdirTemp("", "chaos"); err != nil {
		return c, fmt.Errorf("create a directory: %w", err)
	}
	if c.content, err = dockerd.TarOf(dockerd.Busybox, "bin/sleep"); err != nil {
		return c, err
	}
	if c.dockerd, err = dockerd.Start(ctx, c.dir); err != nil {
		return c, err
	}
	c.follow(ctx)
	between := filepath.Join(c.dir, "recorder.sock")
	if c.recorder, err = newRecorder(between, c.dockerd.Socket()); err != nil {
		return c, err
	}
	if c.link, err = newLink(filepath.Join(c.dir, "engine.sock"), between); err != nil {
		return c, err
	}
	if err := c.dockerd.ImportImage(ctx, "base", "1", c.content); err != nil {
		return c, err
	}
	if c.registry, err = startRegistry(ctx, filepath.Join(c.dir, "registry")); err != nil {
		return c, err
	}
	if err := c.registry.fill(ctx, c.dockerd.API); err != nil {
		return c, err
	}
	if c.disk, err = newDisk(ctx, filepath.Join(c.dir, "disk")); err != nil {
		return c, err
	}
	d, err := rddtest.New(ctx, o.program, filepath.Join(c.disk.dir, "home"), "chaos")
	if err != nil {
		return c, err
	}
	c.daemon = &daemon{Daemon: d}
	if err := c.daemon.start(ctx); err != nil {
		return c, err
	}
	_, err = c.daemon.Run(ctx, "set", "vm.driver=external", "vm.endpoint=unix://"+c.link.socket, "running=true")
	return c, err
}

// follow records the starts of containers until the end.
func (c *chaos) follow(ctx context.Context) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	c.starts = newStartLog()
	var following sync.WaitGroup
	following.Go(func() { c.starts.follow(ctx, c.dockerd.API) })
	c.unfollow = func() {
		cancel()
		following.Wait()
	}
}

// end prints the summary and removes everything.
func (c *chaos) end(ctx context.Context) error {
	var errs []error
	if c.daemon != nil {
		errs = append(errs, c.endDaemon(ctx))
	}
	if c.link != nil {
		c.link.close()
	}
	if c.recorder != nil {
		errs = append(errs, c.recorder.close())
	}
	if c.disk.dir != "" {
		errs = append(errs, c.disk.end(ctx))
	}
	if c.registry != nil {
		errs = append(errs, c.registry.end())
	}
	if c.unfollow != nil {
		c.unfollow()
	}
	if c.dockerd != nil { // unmounts what is left below dir
		errs = append(errs, c.dockerd.Close(ctx))
	}
	if c.dir != "" {
		errs = append(errs, os.RemoveAll(c.dir))
	}
	return errors.Join(errs...)
}

func (c *chaos) endDaemon(ctx context.Context) error {
	var errs []error
	if now, err := c.daemon.Size(ctx); err == nil {
		c.results.last = now
	}
	c.summary()
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	errs = append(errs, c.daemon.Remove(ctx))
	for _, left := range c.daemon.Leftovers() {
		errs = append(errs, fmt.Errorf("after the end: %s", left))
	}
	if count := len(c.results.violations); count > 0 {
		errs = append(errs, fmt.Errorf("%d of %d rounds broke a promise of rdd; see %s", count, len(c.results.took), c.options.out))
	}
	return errors.Join(errs...)
}

// refill resets the pool to the objects of the engine, since deletes through the API
// and lost answers make it outdated.
func (c *chaos) refill(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	e := c.dockerd.API
	tags, err := e.Tags(ctx)
	if err != nil {
		return err
	}
	if tags[base] == "" {
		r := &request{verb: engineChange, object: objectOf(containersv1.KindImage, base), what: "import"}
		c.ledger.begin(r)
		if err := e.ImportImage(ctx, "base", "1", c.content); err != nil {
			return err
		}
		c.ledger.finish(r, true)
		tags[base] = ""
	}
	all, err := e.Containers(ctx)
	if err != nil {
		return err
	}
	volumes, err := e.Volumes(ctx)
	if err != nil {
		return err
	}
	c.pool.mu.Lock()
	defer c.pool.mu.Unlock()
	c.pool.images, c.pool.containers, c.pool.volumes = nil, nil, volumes
	for tag := range tags {
		c.pool.images = append(c.pool.images, tag)
	}
	for _, one := range all {
		c.pool.containers = append(c.pool.containers, one.ID)
	}
	return nil
}

// results are the results of all rounds.
type results struct {
	took       []time.Duration
	violations []violation
	tally      tally
	// complete and failed count the requests for objects, images and prunes.
	complete, failed int
	first            rddtest.Size
	last             rddtest.Size
	biggest          rddtest.Size
}
