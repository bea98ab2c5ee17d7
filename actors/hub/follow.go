package hub

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/async"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/hub/home"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/kube"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

const (
	prepareTimeout = 30 * time.Second
	// compareEvery is the pause between two comparisons of the definitions of a hub that is
	// followed, which an administrator can update.
	compareEvery = 10 * time.Minute
	// comparePause is the pause before one for which there is a reason.
	comparePause = 2 * time.Second
)

// follow starts or stops the subtree.
func (h *hub) follow(c actor.Context) {
	switch {
	case h.facts.wantsPreparation():
		h.stopSubtree(c)
		h.prepare()
	case !h.facts.wantsSubtree():
		h.stopSubtree(c)
		h.facts.isPrepared = false // the hub can have other definitions when it returns
	case h.engine == nil && len(h.ending) == 0:
		h.spawnSubtree(c)
	}
}

// prepare compares the definitions of the hub with those of this program.
func (h *hub) prepare() {
	if h.isPreparing {
		return
	}
	h.isPreparing = true
	of := h.home
	h.tasks.Go(prepareTimeout, func(ctx context.Context) any {
		skew, err := of.Skew(ctx)
		return prepared{of, skew, err}
	})
}

func (h *hub) prepared(p prepared) {
	if p.home != h.home {
		return
	}
	if _, isAway := errors.AsType[*home.AwayError](p.err); isAway {
		h.isPreparing = false // the return of the hub begins it again
		return
	}
	if p.err != nil {
		h.failed(p.err)
		return
	}
	h.isPreparing, h.skew = false, p.skew
	h.facts.isPrepared, h.facts.prepareErr, h.facts.skew = true, nil, p.skew.Message()
	if h.facts.skew != "" {
		h.Logger.Warn("the hub does not store all fields", "skew", h.facts.skew)
	}
}

// foundSkew compares the definitions again, because the hub has dropped a part of a status.
func (h *hub) foundSkew(found foundSkew) {
	if found.home == h.home && h.facts.wantsSubtree() {
		h.failed(errors.New("the definitions on the hub have changed, and are compared again"))
	}
}

// foundRefused records what the hub refuses. It may lack a definition.
func (h *hub) foundRefused(found foundRefused) {
	if found.home != h.home {
		return
	}
	if h.facts.refused = found.message; found.message != "" {
		h.compareSoon(found.home)
	}
}

// compareSoon compares the definitions after a short pause.
func (h *hub) compareSoon(of Home) {
	if of == h.home && !h.isComparing {
		h.isComparing = true
		h.tasks.After(comparePause, compareSoonDue{of})
	}
}

// compare compares the definitions of a hub that is followed.
func (h *hub) compare() {
	if !h.facts.wantsSubtree() {
		return
	}
	of := h.home
	h.tasks.Go(prepareTimeout, func(ctx context.Context) any {
		skew, err := of.Skew(ctx)
		return compared{of, skew, err}
	})
}

// compared starts the subtree again if the definitions have changed. It stops the subtree
// while one is missing, and watches one that is being deleted, because its mirrors return
// only after that.
func (h *hub) compared(c compared) {
	if c.home != h.home || !h.facts.wantsSubtree() {
		return
	}
	switch {
	case apierrors.IsNotFound(c.err):
		h.failed(c.err)
	case c.err != nil:
	case !c.skew.Equal(h.skew):
		h.facts.isPrepared = false
	case c.skew.IsGoing():
		h.compareSoon(c.home)
	}
}

// failed repeats the preparation after a pause.
func (h *hub) failed(err error) {
	h.facts.isPrepared, h.facts.prepareErr = false, err
	h.isPreparing = true
	h.failures++
	h.tasks.After(async.Backoff{Min: time.Second, Max: 30 * time.Second}.Delay(h.failures), prepareDue{h.home})
}

// spawnSubtree starts the children with new informers.
func (h *hub) spawnSubtree(c actor.Context) {
	informers, err := h.home.Informers()
	if err != nil {
		h.failed(err)
		return
	}
	subtree := h.Subtree(h.join, h.home, h.skew, informers)
	h.engine = h.spawn(c, EngineName, subtree.Engine)
	h.requests = h.spawn(c, RequestsName, subtree.Requests(h.engine))
	h.bridge = h.spawn(c, BridgeName, subtree.Bridge)
	h.sendCommand(c)
	h.count(informers)
}

// count counts the mirrors until the subtree is stopped.
func (h *hub) count(informers *kube.Informers) {
	h.informers, h.counts = informers, newCounts()
	ctx, cancel := context.WithCancel(h.tasks.Context())
	h.endCounts = cancel
	logger := h.Logger
	h.tasks.Loop(func(_ context.Context, send func(any)) any {
		sink := func(e kube.Event) { send(delivery{informers, e}) }
		if err := informers.Subscribe(ctx, sink, kube.MirrorObjects()...); err != nil {
			logger.Warn("the mirrors on the hub cannot be counted", "err", err)
		}
		return nil
	})
}

// stopSubtree stops the children in reverse order.
func (h *hub) stopSubtree(c actor.Context) {
	h.stop(c, BridgeName, &h.bridge)
	h.stop(c, RequestsName, &h.requests)
	h.stop(c, EngineName, &h.engine)
	h.facts.engine, h.informers = messages.EngineChanged{}, nil
	if h.endCounts != nil {
		h.endCounts()
		h.endCounts = nil
	}
}

func (h *hub) spawnLease(c actor.Context) {
	if _, isEnding := h.ending[LeaseName]; isEnding {
		h.tasks.After(leasePause, leaseDue{h.home})
		return
	}
	of, identity, logger := h.home, h.identity, h.Logger
	h.lease = h.spawn(c, LeaseName, h.Props(c.Self().Id+"/"+LeaseName, func(report func(string)) actor.Actor {
		return &lease{home: of, identity: identity, logger: logger, report: report}
	}))
}

func (h *hub) spawn(c actor.Context, name string, props *actor.Props) *actor.PID {
	pid, err := c.SpawnNamed(props, name)
	if err != nil {
		panic(fmt.Errorf("spawn %s of the hub: %w", name, err))
	}
	return pid
}

func (h *hub) stop(c actor.Context, name string, child **actor.PID) {
	if *child == nil {
		return
	}
	h.ending[name] = struct{}{}
	c.Stop(*child)
	*child = nil
}

// terminated handles the end of a child. One that was not stopped has failed too often.
func (h *hub) terminated(who *actor.PID) {
	for name, child := range map[string]**actor.PID{
		LeaseName: &h.lease, EngineName: &h.engine, RequestsName: &h.requests, BridgeName: &h.bridge,
	} {
		if *child != nil && (*child).Equal(who) {
			*child = nil
		}
		if hasName(who, name) {
			delete(h.ending, name)
		}
	}
}

// hasName reports whether a child of the hub actor has this name.
func hasName(child *actor.PID, name string) bool {
	const separator = "/"
	return len(child.Id) > len(name) && child.Id[len(child.Id)-len(name)-1:] == separator+name
}

// childFailed repeats what a child must know that restarts empty. If the bridge fails,
// everything that depends on its informers starts again.
func (h *hub) childFailed(c actor.Context, f messages.ChildFailed) {
	h.Logger.Warn("actor of the hub failed", "actor", f.Name, "err", async.WithStack(f.Err), "retryIn", f.RetryIn, "gaveUp", f.GaveUp)
	switch {
	case f.GaveUp:
		h.failed(fmt.Errorf("%s of the hub: %w", f.Name, f.Err))
	case f.Name == EngineName:
		h.facts.engine = messages.EngineChanged{}
		h.sendCommand(c)
	case f.Name == LeaseName:
		h.facts.isHeld = false
		h.tasks.After(leasePause, leaseDue{h.home})
	}
}

// sendCommand sends the engine supervisor the last command, for the namespace of this
// machine on the hub.
func (h *hub) sendCommand(c actor.Context) {
	if h.engine == nil {
		return
	}
	switch msg := h.command.(type) {
	case messages.ConnectEngine:
		msg.Namespace = h.join.Machine
		c.Request(h.engine, msg)
	case messages.DisconnectEngine, messages.SuspendEngine:
		c.Request(h.engine, msg)
	}
}
