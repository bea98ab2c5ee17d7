package main

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/rddtest"
)

// burstVolumes are created and removed: more events than the 1,024 that an engine
// buffers for a client that does not read.
const (
	burstVolumes = 600
	burstTimeout = 8 * time.Second
)

// doAll injects the faults of a lane, one after the other.
func (c *chaos) doAll(ctx context.Context, lane []fault) error {
	for _, f := range lane {
		if err := rddtest.Sleep(ctx, f.after); err != nil {
			return err
		}
		c.ledger.step("fault: " + f.String())
		if err := c.do(ctx, f); err != nil {
			return fmt.Errorf("%s: %w", f, err)
		}
		c.ledger.step("fault is over: " + f.String())
	}
	return nil
}

func (c *chaos) do(ctx context.Context, f fault) error {
	switch f.action {
	case killDaemon, killTwice:
		return c.killDaemon(ctx, f)
	case killPending:
		return c.killPending(ctx, f)
	case fullDisk:
		return c.fillDisk(ctx, f)
	case termEngine:
		return c.endEngine(ctx, f, syscall.SIGTERM)
	case killEngine:
		return c.endEngine(ctx, f, syscall.SIGKILL)
	case stopEngine:
		return c.stopEngine(ctx, f)
	case burst:
		return c.burst(ctx)
	case badLink:
		defer c.ledger.open(&c.ledger.outages)()
		if err := c.link.set(f.impairment); err != nil {
			return err
		}
		err := rddtest.Sleep(ctx, f.lasts)
		return errors.Join(err, c.link.set(impairment{}))
	}
	return fmt.Errorf("unknown fault %q", f.action)
}

func (c *chaos) killDaemon(ctx context.Context, f fault) error {
	defer c.ledger.open(&c.ledger.kills)()
	c.daemon.api.Store(nil)
	if err := errors.Join(c.kill(ctx), rddtest.Sleep(ctx, f.gap)); err != nil {
		return err
	}
	if f.action == killTwice {
		started := make(chan struct{})
		go func() {
			defer close(started)
			_ = c.daemon.start(ctx) // it is killed before or after it is ready
		}()
		if err := errors.Join(rddtest.Sleep(ctx, f.second), c.kill(ctx)); err != nil {
			return err
		}
		<-started
		c.daemon.api.Store(nil)
	}
	return c.daemon.start(ctx)
}

func (c *chaos) kill(ctx context.Context) error {
	c.ledger.countKill()
	return c.daemon.Kill(ctx)
}

func (c *chaos) killPending(ctx context.Context, f fault) error {
	defer c.ledger.open(&c.ledger.outages)()
	err := c.link.set(impairment{name: "pending", hold: true, drop: true, way: toEngine})
	err = errors.Join(err, rddtest.Sleep(ctx, f.lasts), c.killDaemon(ctx, f))
	return errors.Join(err, c.link.set(impairment{}))
}

func (c *chaos) endEngine(ctx context.Context, f fault, sig syscall.Signal) error {
	defer c.ledger.open(&c.ledger.outages)()
	running := 0
	if all, err := c.dockerd.Containers(ctx); err == nil {
		for _, other := range all {
			if other.State == "running" || other.State == "paused" {
				running++
			}
		}
	}
	if err := c.dockerd.Down(sig); err != nil {
		return err
	}
	if err := rddtest.Sleep(ctx, f.gap); err != nil {
		return err
	}
	_, err := c.dockerd.Up(ctx)
	// A new engine ends the containers that a killed one has left.
	c.ledger.died(running)
	return err
}

func (c *chaos) stopEngine(ctx context.Context, f fault) error {
	defer c.ledger.open(&c.ledger.outages)()
	if err := c.dockerd.Signal(syscall.SIGSTOP); err != nil {
		return err
	}
	err := rddtest.Sleep(ctx, f.lasts)
	return errors.Join(err, c.dockerd.Signal(syscall.SIGCONT))
}

// burst creates and removes volumes as fast as the engine can.
func (c *chaos) burst(ctx context.Context) error {
	var jobs errgroup.Group
	jobs.SetLimit(4)
	var events atomic.Int64
	late := time.Now().Add(burstTimeout)
	for i := range burstVolumes {
		jobs.Go(func() error {
			if time.Now().After(late) {
				return nil
			}
			name := fmt.Sprintf("Burst_%d_%d", c.pool.next(), i)
			for _, change := range []func(context.Context, string) error{c.dockerd.CreateVolume, c.dockerd.RemoveVolume} {
				if !retryUntil(ctx, late, func() error { return change(ctx, name) }) {
					return nil
				}
				events.Add(1)
			}
			return nil
		})
	}
	err := jobs.Wait()
	c.ledger.burst(int(events.Load()))
	return err
}

// retryUntil repeats a change until the engine, which may be down, accepts it. It
// returns false when it is too late.
func retryUntil(ctx context.Context, late time.Time, change func() error) bool {
	for change() != nil {
		if time.Now().After(late) || rddtest.Sleep(ctx, checkInterval) != nil {
			return false
		}
	}
	return true
}
