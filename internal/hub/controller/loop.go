package controller

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/util/workqueue"
)

const (
	// judges is how many machines are marked at once, and removals of how many the mirrors
	// are removed at once. A removal takes long, and must not delay a mark.
	judges   = 4
	removals = 2
	// firstPause and longestPause are the pauses before an act that has failed is retried.
	firstPause   = time.Second
	longestPause = 5 * time.Minute
)

// hub is what the loop reads and does on the hub. Its acts return errChanged if the machine
// has changed its Lease, and a conflict if the facts were outdated.
type hub interface {
	// facts returns what the informers know of a machine, without its Lease.
	facts(ctx context.Context, name string) (facts, error)
	markAway(ctx context.Context, name string, f facts) error
	removeMirrors(ctx context.Context, name string, f facts) error
	unmark(ctx context.Context, name string) error
	reportRemains(ctx context.Context, name string) error
}

// loop decides on a machine when it has changed, and when enough time has passed. An event
// costs the decision on one machine.
type loop struct {
	hub    hub
	memory *memory
	logger *slog.Logger
	// due has the machines to decide on, and long those with an act that takes long.
	due, long workqueue.TypedRateLimitingInterface[string]
}

func newLoop(of hub, m *memory, logger *slog.Logger) *loop {
	return &loop{hub: of, memory: m, logger: logger, due: newQueue(), long: newQueue()}
}

func newQueue() workqueue.TypedRateLimitingInterface[string] {
	return workqueue.NewTypedRateLimitingQueue(workqueue.NewTypedItemExponentialFailureRateLimiter[string](firstPause, longestPause))
}

// changed decides on a machine soon.
func (l *loop) changed(name string) { l.due.Add(name) }

// run decides on machines until ctx ends, and returns when no act runs any more.
func (l *loop) run(ctx context.Context) {
	defer context.AfterFunc(ctx, func() {
		l.due.ShutDown()
		l.long.ShutDown()
	})()
	var workers sync.WaitGroup
	for range judges {
		workers.Go(func() { l.work(ctx, l.due, l.judge) })
	}
	for range removals {
		workers.Go(func() { l.work(ctx, l.long, l.carryOut) })
	}
	workers.Wait()
}

// work handles the machines of a queue until it is shut down.
func (l *loop) work(ctx context.Context, queue workqueue.TypedRateLimitingInterface[string], handle func(context.Context, string) error) {
	for {
		name, isShutDown := queue.Get()
		if isShutDown {
			return
		}
		err := handle(ctx, name)
		switch {
		case err == nil || ctx.Err() != nil:
			queue.Forget(name)
		case errors.Is(err, errChanged):
			queue.Forget(name)
			l.due.Add(name)
		default:
			if !apierrors.IsConflict(err) {
				l.logger.Warn("an act failed and will be retried", "machine", name, "err", err)
			}
			queue.AddRateLimited(name)
		}
		queue.Done(name)
	}
}

// judge decides on a machine, and leaves acts that take long to others.
func (l *loop) judge(ctx context.Context, name string) error {
	f, next, err := l.decide(ctx, name)
	if err != nil {
		return err
	}
	switch next.step {
	case idle:
	case wait:
		l.due.AddAfter(name, next.after)
	case markAway:
		return l.hub.markAway(ctx, name, f)
	case removeMirrors, unmark:
		l.long.Add(name)
	case reportRemains:
		if err := l.hub.reportRemains(ctx, name); err != nil {
			return err
		}
		l.memory.deleted(name, false)
	}
	return nil
}

// carryOut decides again, because the machine may have waited in the queue, and carries out
// an act that takes long.
func (l *loop) carryOut(ctx context.Context, name string) error {
	f, next, err := l.decide(ctx, name)
	if err != nil {
		return err
	}
	switch next.step {
	case removeMirrors:
		if err := l.hub.removeMirrors(ctx, name, f); err != nil {
			return err
		}
		l.memory.emptied(name, f.lease)
	case unmark:
		if err := l.hub.unmark(ctx, name); err != nil {
			return err
		}
	case idle, wait, markAway, reportRemains:
	}
	return nil
}

func (l *loop) decide(ctx context.Context, name string) (facts, decision, error) {
	f, err := l.hub.facts(ctx, name)
	if err != nil {
		return f, decision{}, err
	}
	f.lease, f.wasDeleted = l.memory.reading(name)
	return f, decide(time.Now(), f), nil
}
