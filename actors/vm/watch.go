package vm

import (
	"context"
	"fmt"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

const (
	// pingEvery is the pause between two health checks of a running engine.
	pingEvery = 10 * time.Second
	// pingDeadline bounds one health check.
	pingDeadline = 5 * time.Second
	// pingFailures in a row make an engine count as hung.
	pingFailures = 3
)

// watch follows one attached engine until the engine dies or is let go.
type watch struct {
	cancel context.CancelFunc
	since  time.Time
	// missed health checks in a row, the time and the error of the first of them.
	missed      int
	missedSince time.Time
	err         error
}

// hung is whether an engine that is alive has not answered for a while. It is
// not killed for it: a machine or a process that was paused comes back, with
// every container. But it is not reported as running either.
func (w *watch) hung() bool { return w != nil && w.missed >= pingFailures }

// engineGone says that the engine's process has ended.
type engineGone struct {
	watch *watch
	err   error
}

// pinged is the result of a health check.
type pinged struct {
	watch *watch
	err   error
}

func (a *vmActor) attach(have messages.VMSpec, endpoint string) {
	ctx, cancel := context.WithCancel(a.tasks.Context())
	w := &watch{cancel: cancel, since: time.Now()}
	a.watch, a.endpoint = w, endpoint
	a.facts.attached, a.facts.attachedSpec = true, have
	driver := a.choice.driver
	a.cfg.Logger.Info("engine runs", "driver", have.Driver, "endpoint", endpoint, "reason", a.choice.reason)
	// Both end with the watch, not only with the actor.
	a.tasks.Loop(func(context.Context, func(any)) any { return engineGone{w, driver.Wait(ctx)} })
	a.tasks.Loop(func(_ context.Context, send func(any)) any {
		checkHealth(ctx, func(ctx context.Context) error { return driver.Ping(ctx, endpoint) },
			func(err error) { send(pinged{w, err}) })
		return nil
	})
}

// checkHealth pings until ctx ends.
func checkHealth(ctx context.Context, ping func(context.Context) error, result func(error)) {
	ticker := time.NewTicker(pingEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		bounded, cancel := context.WithTimeout(ctx, pingDeadline)
		err := ping(bounded)
		cancel()
		if ctx.Err() == nil {
			result(err)
		}
	}
}

// detach lets go of the engine, which may run on.
func (a *vmActor) detach() {
	if a.watch != nil {
		a.watch.cancel()
	}
	a.watch, a.endpoint = nil, ""
	a.facts.attached, a.facts.attachedSpec = false, messages.VMSpec{}
	a.facts.inspected = false
}

func (a *vmActor) onEngineGone(m engineGone) {
	if m.watch != a.watch {
		return
	}
	if time.Since(m.watch.since) >= healthyAfter {
		a.clearFailure()
	}
	a.detach()
	err := m.err
	if err == nil {
		err = fmt.Errorf("its process has ended")
	}
	a.fail("the engine died", err)
}

func (a *vmActor) onPinged(m pinged) {
	if m.watch != a.watch {
		return
	}
	if m.err == nil {
		m.watch.missed = 0
		return
	}
	if m.watch.missed++; m.watch.missed == 1 {
		m.watch.missedSince, m.watch.err = time.Now(), m.err
	}
	a.cfg.Logger.Warn("engine did not answer a health check", "missed", m.watch.missed, "error", m.err)
}
