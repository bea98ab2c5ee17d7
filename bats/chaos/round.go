package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/rddtest"
)

// Limits for a daemon that mirrors a few dozen objects.
const (
	maxRSS        = 300 << 20
	maxGoroutines = 600
)

// round injects faults for a while, and then judges. It returns an error when the run
// cannot continue.
func (c *chaos) round(ctx context.Context, r round) error {
	if err := c.refill(ctx); err != nil {
		return fmt.Errorf("round %d: %w", r.number, err)
	}
	began := time.Now()
	operations := c.ledger.operations
	c.ledger.step(fmt.Sprintf("round %d: %s", r.number, r))
	if err := c.injectFaults(ctx, r); ctx.Err() != nil {
		return ctx.Err()
	} else if err != nil {
		c.violation(ctx, r, []string{err.Error()})
		return fmt.Errorf("round %d: %w", r.number, err)
	}
	c.ledger.step("all changes have stopped")
	took, wrong := c.converge(ctx)
	if unended := append(c.awaitRequests(ctx, began), c.awaitActions(ctx)...); len(unended) > 0 {
		wrong = append(wrong, unended...)
	} else {
		_, again := c.converge(ctx) // what they have created
		wrong = append(wrong, again...)
	}
	wrong = append(wrong, c.doctorAtRest(ctx)...)
	s, err := c.snapshot(ctx)
	if err != nil {
		wrong = append(wrong, "read mirrors and engine: "+err.Error())
	} else {
		c.ledger.startsFor(s)
		wrong = append(wrong, c.judgeRequests(ctx, s, began)...)
		t, broken := c.ledger.judge(s, began)
		c.results.add(t)
		wrong = append(wrong, broken...)
		wrong = append(wrong, c.ledger.judgeStarts(c.starts, c.recorder.all(), began)...)
		wrong = append(wrong, c.ledger.replaced(c.before, s, began)...)
	}
	c.before = s
	wrong = append(wrong, c.ledger.unrequested(c.recorder.all(), began)...)
	wrong = append(wrong, c.daemon.Leftovers()...)
	wrong = append(wrong, c.checkSize(ctx)...)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	c.results.took = append(c.results.took, took)
	fmt.Fprintf(c.out, "round %3d: %s; %d operations; converged in %.2f s\n", r.number, r, c.ledger.operations-operations, took.Seconds())
	if len(wrong) > 0 {
		c.violation(ctx, r, wrong)
	}
	return nil
}

// injectFaults runs workers, users and faults at the same time.
func (c *chaos) injectFaults(ctx context.Context, r round) error {
	working, rest := context.WithCancel(ctx)
	defer rest()
	var busy sync.WaitGroup
	for _, seed := range r.workers {
		w := &worker{pool: c.pool, engine: c.dockerd.API, ledger: c.ledger, random: randomOf(seed), content: c.content}
		busy.Go(func() { w.work(working) })
	}
	for _, seed := range r.users {
		w := &user{pool: c.pool, engine: c.dockerd.API, registry: c.registry, daemon: c.daemon, ledger: c.ledger, random: randomOf(seed)}
		busy.Go(func() { w.work(working) })
	}
	lanes, faulty := errgroup.WithContext(ctx)
	lanes.Go(func() error { return rddtest.Sleep(faulty, r.lasts) })
	for _, lane := range r.lanes {
		lanes.Go(func() error { return c.doAll(faulty, lane) })
	}
	err := lanes.Wait()
	rest()
	busy.Wait()
	return err
}

func randomOf(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0)) }

// checkSize reports a daemon that has become too large.
func (c *chaos) checkSize(ctx context.Context) []string {
	now, err := c.daemon.Size(ctx)
	if err != nil {
		return []string{"measure the daemon: " + err.Error()}
	}
	if c.results.first.RSS == 0 {
		c.results.first = now
	}
	c.results.biggest.RSS = max(c.results.biggest.RSS, now.RSS)
	c.results.biggest.Goroutines = max(c.results.biggest.Goroutines, now.Goroutines)
	if now.RSS > maxRSS || now.Goroutines > maxGoroutines {
		return []string{fmt.Sprintf("the daemon has grown to %d MB and %d goroutines", now.RSS>>20, now.Goroutines)}
	}
	return nil
}

func (r *results) add(t tally) {
	r.tally.applied += t.applied
	r.tally.refused += t.refused
	r.tally.superseded += t.superseded
	r.tally.removed += t.removed
}
