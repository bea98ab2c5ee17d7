package home

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/go-logr/logr"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/klog/v2"

	hubv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/hub/v1alpha1"
)

const (
	leaseDuration = 40 * time.Second
	leaseRenew    = 30 * time.Second
	leaseRetry    = 10 * time.Second
	// acquireRetry is the pause between two attempts to acquire a Lease. A Lease that
	// another machine held is acquired within 50 s of the end of that machine: it must be
	// seen unchanged for leaseDuration, and each attempt can be twice as late.
	acquireRetry = 2 * time.Second
)

// LeaseEvents receives what becomes of the Lease. Its methods do not block.
type LeaseEvents struct {
	// Held is called when this machine holds the Lease.
	Held func()
	// HeldBy is called with the identity of another holder.
	HeldBy func(identity string)
}

// errLeaseLost is the error of HoldLease when the Lease could not be renewed in time.
var errLeaseLost = errors.New("the Lease of this machine could not be renewed in time")

// HoldLease acquires the Lease of the machine and renews it, until it is lost or ctx ends.
// The Lease is heartbeat and fence in one: only its holder writes. Its expiry is judged by
// the clock of this machine since the last change that it has seen, and never by comparing
// clocks. When ctx ends, the Lease is released if the hub answers within releaseWithin.
func (h *Home) HoldLease(ctx context.Context, identity string, events LeaseEvents) error {
	defer h.fence.invalidate()
	acquiring, acquired := context.WithCancel(ctx)
	defer acquired()
	first := LeaseEvents{Held: acquired, HeldBy: events.HeldBy}
	if err := h.elect(acquiring, identity, acquireRetry, false, first); err != nil || ctx.Err() != nil {
		return cmp.Or(err, ctx.Err())
	}
	if err := h.elect(ctx, identity, leaseRetry, true, events); err != nil {
		return err
	}
	return cmp.Or(ctx.Err(), errLeaseLost)
}

// elect runs one election until the Lease is lost or ctx ends.
func (h *Home) elect(ctx context.Context, identity string, retry time.Duration, releases bool, events LeaseEvents) error {
	lock := newBoundLock(ctx, &resourcelock.LeaseLock{
		LeaseMeta:  metav1.ObjectMeta{Namespace: h.namespace, Name: hubv1.LeaseName},
		Client:     h.leases,
		LockConfig: resourcelock.ResourceLockConfig{Identity: identity},
	})
	elector, err := leaderelection.NewLeaderElector(leaderelection.LeaderElectionConfig{
		Lock:          lock,
		LeaseDuration: leaseDuration, RenewDeadline: leaseRenew, RetryPeriod: retry,
		ReleaseOnCancel: releases,
		Callbacks: leaderelection.LeaderCallbacks{
			OnStartedLeading: func(context.Context) { events.Held() },
			OnStoppedLeading: func() {},
			OnNewLeader: func(holder string) {
				if holder != identity && holder != "" {
					events.HeldBy(holder)
				}
			},
		},
	})
	if err != nil {
		return err
	}
	logger := klog.FromContext(ctx)
	elector.Run(klog.NewContext(ctx, logger.WithSink(electionLog{logger.GetSink(), ctx})))
	return nil
}

// electionLog is the log of an election, without the errors of requests that end because
// the election ends: each join and each leave ends one.
type electionLog struct {
	logr.LogSink

	ctx context.Context //nolint:containedctx // of the election
}

// Error implements logr.LogSink.
func (l electionLog) Error(err error, message string, keysAndValues ...any) {
	if l.ctx.Err() == nil || !errors.Is(err, context.Canceled) {
		l.LogSink.Error(err, message, keysAndValues...)
	}
}

// WithValues implements logr.LogSink.
func (l electionLog) WithValues(keysAndValues ...any) logr.LogSink {
	return electionLog{l.LogSink.WithValues(keysAndValues...), l.ctx}
}

// WithName implements logr.LogSink.
func (l electionLog) WithName(name string) logr.LogSink {
	return electionLog{l.LogSink.WithName(name), l.ctx}
}
