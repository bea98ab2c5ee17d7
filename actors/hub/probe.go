package hub

import (
	"context"
	"errors"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/async"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/hub/home"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

const (
	// spread is the time over which the machines of a hub return after it was away. The
	// pause before the last probe is a part of it, but minSpread always remains.
	spread    = 10 * time.Second
	minSpread = 3 * time.Second
	// unauthorizedPause is the pause between two probes with credentials that the hub does
	// not accept.
	unauthorizedPause = 30 * time.Second
	// leasePause is the pause before a Lease that was lost is acquired again.
	leasePause = time.Second
	// probeTimeout bounds a probe, which bounds itself too.
	probeTimeout = 10 * time.Second
)

// foundAway begins to probe. It is the only one who does so.
func (h *hub) foundAway(found foundAway) {
	if found.home != h.home || h.facts.away != nil {
		return
	}
	h.facts.away = found.cause
	h.Logger.Warn("the hub is away", "err", found.cause)
	h.probeLater()
}

// probePause returns the pause before a probe, which counts from 1. A restart of the hub is
// noticed fast, and one that is away for long is dialed at most once in ten seconds.
func probePause(probe int) time.Duration {
	backoff := async.Backoff{Min: 2 * time.Second, Max: 20 * time.Second}
	const longest = 10 * time.Second
	if pause := backoff.Delay(probe); pause < longest {
		return pause
	}
	return longest + async.Spread(2*time.Second)
}

// returnSpread returns the time over which machines return whose last probe had a number.
// After a long absence their probes are spread themselves.
func returnSpread(probe int) time.Duration {
	return max(spread-probePause(probe), minSpread)
}

// probeLater plans the next probe.
func (h *hub) probeLater() {
	h.probes++
	pause := probePause(h.probes)
	if _, ok := errors.AsType[*home.UnauthorizedError](h.facts.away); ok {
		pause = unauthorizedPause
	}
	h.tasks.After(pause, probeDue{h.home})
}

func (h *hub) probe(due probeDue) {
	if due.home != h.home {
		return
	}
	h.tasks.Go(probeTimeout, func(ctx context.Context) any { return probed{due.home, due.home.Probe(ctx)} })
}

// probed handles the result of a probe. All machines notice the return of a hub at the same
// time, so each waits for a random part of spread.
func (h *hub) probed(p probed) {
	if p.home != h.home {
		return
	}
	if p.err != nil {
		h.facts.away = p.err
		h.probeLater()
		return
	}
	h.Logger.Info("the hub is back")
	// Here, so that a request that finds the hub away again is noticed after it.
	h.home.Reopen()
	h.facts.away, h.facts.isDelayed = nil, true
	h.tasks.Send(leaseDue{h.home})
	h.tasks.After(async.Spread(returnSpread(h.probes)), turnCome{h.home})
}

// acquireLease asks the lease actor to acquire the Lease.
func (h *hub) acquireLease(c actor.Context, of Home) {
	if of != h.home || h.facts.away != nil {
		return
	}
	if h.lease == nil {
		h.spawnLease(c)
	}
	if h.lease != nil {
		c.Send(h.lease, messages.AcquireLease{})
	}
}

func (h *hub) leaseChanged(msg messages.LeaseChanged) {
	if h.lease == nil {
		return
	}
	h.facts.isHeld, h.facts.holder = msg.IsHeld, msg.Holder
	h.machine.written = nil // another writer may have changed it
	if msg.Err != nil {
		h.Logger.Warn("the Lease of this machine was lost", "err", msg.Err)
		h.tasks.After(leasePause, leaseDue{h.home})
	}
}
