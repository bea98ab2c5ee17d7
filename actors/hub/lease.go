package hub

import (
	"context"
	"log/slog"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/rancher-sandbox/rancher-desktop-daemon/actors/task"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/hub/home"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// lease is the actor that acquires and renews the Lease.
type lease struct {
	home     Home
	identity string
	logger   *slog.Logger
	report   func(state string)
	tasks    *task.Runner
	// run numbers the elections: a message of a former one is stale. It is zero before the
	// first one.
	run int
	// isRunning is set until the election has ended, and ended is closed then.
	isRunning bool
	ended     chan struct{}
}

// releaseTimeout bounds the wait for the release of the Lease. Without the release, another
// machine, or this one after a boot, waits until the Lease expires.
const releaseTimeout = 2 * time.Second

// toLeaseSelf is a message of the lease actor to itself.
//
//sumtype:decl
type toLeaseSelf interface{ toLeaseSelf() }

type (
	leaseHeld struct{ run int }
	heldBy    struct {
		run    int
		holder string
	}
	electionEnded struct{ err error }
)

func (leaseHeld) toLeaseSelf()     {}
func (heldBy) toLeaseSelf()        {}
func (electionEnded) toLeaseSelf() {}

// Receive implements actor.Actor.
func (l *lease) Receive(c actor.Context) {
	switch msg := c.Message().(type) {
	case *actor.Started:
		l.tasks = task.NewRunner(c)
		l.report("waiting")
	case *actor.Restarting:
		l.tasks.Stop()
	case *actor.Stopping:
		l.tasks.Stop()
		l.awaitRelease()
	case *actor.Stopped:
	case messages.ToLease:
		l.receive(msg)
	case task.Done:
		if value, ok := l.tasks.Take(msg); ok {
			l.receiveOwn(c, value.(toLeaseSelf))
		}
	default:
		l.logger.Error("unexpected message for the lease actor", "message", msg)
	}
}

func (l *lease) receive(msg messages.ToLease) {
	switch msg.(type) {
	case messages.AcquireLease:
		if !l.isRunning {
			l.elect()
		}
	}
}

// elect runs an election until the Lease is lost.
func (l *lease) elect() {
	l.isRunning = true
	l.run++
	l.report("acquiring")
	run, tasks, ended := l.run, l.tasks, make(chan struct{})
	l.ended = ended
	tasks.Loop(func(ctx context.Context, send func(any)) any {
		defer close(ended)
		err := l.home.HoldLease(ctx, l.identity, home.LeaseEvents{
			Held:   func() { send(leaseHeld{run}) },
			HeldBy: func(holder string) { send(heldBy{run, holder}) },
		})
		return electionEnded{err}
	})
}

// awaitRelease waits until the election has released the Lease. An actor that stops has
// nothing else to do.
func (l *lease) awaitRelease() {
	if !l.isRunning {
		return
	}
	select {
	case <-l.ended:
	case <-time.After(releaseTimeout):
	}
}

func (l *lease) receiveOwn(c actor.Context, msg toLeaseSelf) {
	switch msg := msg.(type) {
	case leaseHeld:
		if l.isRunning && msg.run == l.run {
			l.report("held")
			c.Send(c.Parent(), messages.LeaseChanged{IsHeld: true})
		}
	case heldBy:
		if l.isRunning && msg.run == l.run {
			l.report("held by " + msg.holder)
			c.Send(c.Parent(), messages.LeaseChanged{Holder: msg.holder})
		}
	case electionEnded:
		l.isRunning = false
		l.report("lost")
		c.Send(c.Parent(), messages.LeaseChanged{Err: msg.err})
	}
}
