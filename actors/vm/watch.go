package vm

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

const (
	// pingEvery is the pause between two health checks: with the two constants
	// below, an engine that hangs is reported within nine seconds.
	pingEvery = 3 * time.Second
	// pingDeadline bounds one health check.
	pingDeadline = 3 * time.Second
	// pingFailures in a row make an engine count as hung.
	pingFailures = 2
	// healthyAfter is how long an engine must have run for its death to count
	// as the first failure in a row again.
	healthyAfter = 5 * time.Minute
)

// watch follows one attached engine until the engine dies or is let go.
type watch struct {
	cancel context.CancelFunc
	// managed is whether the engine is rdd's own.
	managed bool
	since   time.Time
	// note of the last health check that was answered.
	note string
	// missed health checks in a row, when the first of them was begun, and the
	// error of the last.
	missed      int
	missedSince time.Time
	err         error
	// repairing is set once the driver was asked to make its endpoint reachable
	// again, and repairErr is why that failed.
	repairing bool
	repairErr error
}

// hung is whether an engine that is alive has not answered for a while. It is
// not killed for it: a machine or a process that was paused comes back, with
// every container. But it is not reported as running either.
func (w *watch) hung() bool { return w != nil && w.missed >= pingFailures }

// silence says since when a hung engine has not answered. That one of rdd's own
// is alive is known from its process; of another one nothing is.
func (w *watch) silence() string {
	since := w.missedSince.Format(time.TimeOnly)
	if !w.managed {
		return fmt.Sprintf("the engine, which is not rdd's own, has not answered since %s (%v); rdd does not start or stop it, goes on asking every %s and reports Running as soon as it answers; start it again, or choose another one with 'rdd set vm.driver=...'",
			since, w.err, pingEvery)
	}
	if w.repairErr != nil {
		return fmt.Sprintf("the engine has not answered since %s (%v), and rdd cannot repair that: %v", since, w.err, w.repairErr)
	}
	if w.repairing {
		return fmt.Sprintf("the engine has not answered since %s (%v); rdd restarts it, and its containers keep running", since, w.err)
	}
	return fmt.Sprintf("the engine is alive but has not answered since %s (%v); rdd does not kill it, goes on asking every %s and reports Running as soon as it answers; 'rdd stop' and 'rdd start' start it afresh",
		since, w.err, pingEvery)
}

// engineGone says that the engine's process has ended.
type engineGone struct {
	watch *watch
	err   error
}

// pinged is the result of a health check.
type pinged struct {
	watch *watch
	asked time.Time
	note  string
	err   error
}

func (a *vmActor) attach(have messages.VMSpec, endpoint string) {
	ctx, cancel := context.WithCancel(a.tasks.Context())
	driver := a.choice.driver
	w := &watch{cancel: cancel, since: time.Now(), managed: driver.Managed()}
	a.last = ""
	if w.managed {
		a.last = have.Driver
	}
	a.watch, a.endpoint = w, endpoint
	a.facts.attached, a.facts.attachedSpec = true, have
	a.cfg.Logger.Info("engine runs", "driver", have.Driver, "endpoint", endpoint, "reason", a.choice.reason)
	// Both end with the watch, not only with the actor.
	a.tasks.Loop(func(context.Context, func(any)) any { return engineGone{w, driver.Wait(ctx)} })
	a.tasks.Loop(func(_ context.Context, send func(any)) any {
		checkHealth(ctx, func(ctx context.Context) {
			asked := time.Now()
			note, err := driver.Ping(ctx, endpoint)
			send(pinged{watch: w, asked: asked, note: note, err: err})
		})
		return nil
	})
}

// checkHealth pings until ctx ends. The first time is at once, so that the
// trouble of an engine is known by the time it is used.
func checkHealth(ctx context.Context, ping func(context.Context)) {
	for {
		begun := time.Now()
		bounded, cancel := context.WithTimeout(ctx, pingDeadline)
		ping(bounded)
		cancel()
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Until(begun.Add(pingEvery))):
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
	a.facts.inspected, a.facts.endpointGone = false, false
}

func (a *vmActor) onEngineGone(m engineGone) {
	if m.watch != a.watch {
		return
	}
	if time.Since(m.watch.since) >= healthyAfter {
		a.clearFailure()
	}
	repaired := m.watch.repairing && m.watch.repairErr == nil
	a.detach()
	if repaired {
		a.cfg.Logger.Info("the engine has ended to be restarted, since its endpoint was gone")
		return
	}
	err := m.err
	if err == nil {
		err = fmt.Errorf("its process has ended")
	}
	a.fail("the engine was lost", err)
}

func (a *vmActor) onPinged(m pinged) {
	if m.watch != a.watch {
		return
	}
	if m.err == nil {
		m.watch.missed, m.watch.err, m.watch.note = 0, nil, m.note
		a.facts.endpointGone = false
		return
	}
	if m.watch.missed++; m.watch.missed == 1 {
		m.watch.missedSince = m.asked
	}
	m.watch.err = m.err
	if errors.Is(m.err, ErrEndpointGone) && m.watch.hung() && !m.watch.repairing {
		a.facts.endpointGone = true
	}
	a.cfg.Logger.Warn("engine did not answer a health check", "missed", m.watch.missed, "error", m.err)
}
