package hub

import (
	"context"
	"errors"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	hubv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/hub/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/async"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/hub/home"
)

// tokenTimeout bounds the renewal of the token.
const tokenTimeout = 30 * time.Second

// readJoin reads which hub this machine has joined.
func (h *hub) readJoin() {
	if h.isReading {
		h.isStale = true
		return
	}
	h.isReading = true
	h.tasks.Go(async.NoDeadline, func(context.Context) any {
		join, err := h.Load()
		if err != nil {
			return joinRead{err: err}
		}
		identity, err := h.Identity()
		return joinRead{join: join, identity: identity, err: err}
	})
}

// joinRead leaves the former hub and opens the new one.
func (h *hub) joinRead(c actor.Context, read joinRead) {
	h.isReading = false
	if h.isStale {
		h.isStale = false
		h.readJoin()
		return
	}
	h.leave(c)
	switch {
	case errors.Is(read.err, home.ErrNotJoined):
		return
	case read.err != nil:
		h.facts.joinErr = read.err
		h.Logger.Error("the hub that this machine has joined cannot be used", "err", read.err)
		const again = 30 * time.Second
		h.tasks.After(again, joinDue{})
		return
	}
	h.join, h.identity = read.join, read.identity
	h.open()
}

// leave ends everything that belongs to the hub.
func (h *hub) leave(c actor.Context) {
	h.reportLeft()
	h.stopSubtree(c)
	h.stop(c, LeaseName, &h.lease)
	if h.home != nil {
		h.home.Close()
	}
	h.facts, h.join, h.home, h.skew = facts{}, nil, nil, nil
	h.isPreparing, h.isComparing, h.probes, h.failures, h.machine = false, false, 0, 0, machineStatus{}
}

// reportLeft writes to the Machine that this machine has left, if it can.
func (h *hub) reportLeft() {
	if !h.facts.wantsSubtree() {
		return
	}
	of, name, status, logger := h.home, h.join.Machine, h.machineStatus(), h.Logger
	status.Conditions = []metav1.Condition{
		{Type: hubv1.ConditionReady, Status: metav1.ConditionFalse, Reason: hubv1.ReasonLeft, Message: "the machine has left the hub"},
		{Type: hubv1.ConditionSynced, Status: metav1.ConditionFalse, Reason: hubv1.ReasonLeft, Message: "the mirrors show the state at that time"},
	}
	h.tasks.Go(machineTimeout, func(ctx context.Context) any {
		if err := of.WriteMachine(ctx, name, status); err != nil {
			logger.Warn("the hub does not know that this machine has left", "err", err)
		}
		return machineWrote{home: of}
	})
}

// open prepares the hub.
func (h *hub) open() {
	var opened Home
	tasks, ready := h.tasks, make(chan struct{})
	opened, err := h.Open(h.join, home.Observer{
		Away: func(cause error) {
			<-ready
			tasks.Send(foundAway{opened, cause})
		},
		NotStored: func() {
			<-ready
			tasks.Send(foundSkew{opened})
		},
		Leaving: func() {
			<-ready
			tasks.Send(foundLeaving{opened})
		},
		Refused: func(message string) {
			<-ready
			tasks.Send(foundRefused{opened, message})
		},
	})
	close(ready)
	if err != nil {
		h.facts.joinErr = err
		return
	}
	h.home, h.facts.isJoined = opened, true
	h.Logger.Info("hub joined", "server", h.join.Server, "machine", h.join.Machine, "allow", h.join.Allow)
	h.tasks.Send(leaseDue{opened})
	h.tasks.Send(tokenDue{opened})
	h.tasks.After(compareEvery, compareDue{opened})
}

// renewToken renews the token of this machine when it is due.
func (h *hub) renewToken(of Home) {
	if of != h.home {
		return
	}
	h.tasks.Go(tokenTimeout, func(ctx context.Context) any {
		next, err := of.RenewToken(ctx)
		return tokenRead{of, next, err}
	})
}

func (h *hub) tokenRead(read tokenRead) {
	if read.home != h.home {
		return
	}
	switch {
	case read.err != nil:
		const again = 5 * time.Minute
		h.Logger.Warn("the token of this machine was not renewed", "err", read.err, "retryIn", again)
		h.tasks.After(again, tokenDue{h.home})
	case !read.next.IsZero():
		// A timer stands still while the machine is suspended.
		const atLeast, atMost = time.Minute, time.Hour
		h.tasks.After(max(atLeast, min(time.Until(read.next), atMost)), tokenDue{h.home})
	}
}
