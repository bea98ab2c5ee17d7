package vm

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/async"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

const (
	// pingInterval is the interval of health checks. With the two constants below, an
	// engine that hangs is reported within nine seconds.
	pingInterval = 3 * time.Second
	// pingDeadline limits one health check.
	pingDeadline = 3 * time.Second
	// pingFailures is the number of failed health checks in a row after which an
	// engine counts as hung.
	pingFailures = 2
	// healthyAfter is how long an engine must have run so that its end counts as the
	// first failure again.
	healthyAfter = 5 * time.Minute
)

// watch watches one attached engine until it ends or is detached.
type watch struct {
	cancel context.CancelFunc
	// managed is set if the engine is rdd's own.
	managed bool
	since   time.Time
	// note is the note of the last successful health check.
	note string
	// missed is the number of failed health checks in a row, missedSince when the
	// first of them began, and err the error of the last.
	missed      int
	missedSince time.Time
	err         error
	// repairing is set while the driver repairs the endpoint, and until the engine's
	// process has ended. repairErr is why the last repair failed.
	repairing bool
	repairErr error
	// repairs is the number of failed repairs in a row, and repairAt the time of the
	// next one.
	repairs  int
	repairAt time.Time
}

// repairBackoff returns the back-off after a failed repair. Health checks trigger the
// repairs, so that a shorter delay would not matter.
func repairBackoff() async.Backoff { return async.Backoff{Min: 2 * pingInterval, Max: 5 * time.Minute} }

// repairFailed records why a repair failed, and when the next one can begin.
func (w *watch) repairFailed(err error) {
	w.repairing, w.repairErr = false, err
	w.repairs++
	w.repairAt = time.Now().Add(repairBackoff().Delay(w.repairs))
}

// repairDue reports whether the endpoint of a hung engine can be repaired now. After a
// permanent error only a user can restore the endpoint.
func (w *watch) repairDue() bool {
	return w.hung() && !w.repairing && !IsPermanent(w.repairErr) && !time.Now().Before(w.repairAt)
}

// hung reports whether the engine failed the last health checks. A hung engine is
// not killed, because a paused machine or process recovers with all containers.
func (w *watch) hung() bool { return w != nil && w.missed >= pingFailures }

// silence returns the message about a hung engine. The process of a managed engine is
// known to run; of an external engine no process is known.
func (w *watch) silence() string {
	since := w.missedSince.Format(time.TimeOnly)
	if !w.managed {
		return fmt.Sprintf("the external engine has not answered since %s (%v): rdd checks it every %s, and does not start or stop it; restart it yourself, or choose another driver with 'rdd set vm.driver=...'",
			since, w.err, pingInterval)
	}
	if IsPermanent(w.repairErr) {
		return fmt.Sprintf("the engine has not answered since %s (%v), and rdd cannot repair it: %v", since, w.err, w.repairErr)
	}
	if w.repairErr != nil {
		return fmt.Sprintf("the engine has not answered since %s (%v), and the repair failed: %v: rdd retries the repair; to restart the engine now, run 'rdd stop' and 'rdd start'",
			since, w.err, w.repairErr)
	}
	if w.repairing {
		return fmt.Sprintf("the engine has not answered since %s (%v): rdd restarts it, and its containers keep running", since, w.err)
	}
	return fmt.Sprintf("the process of the engine runs, but has not answered since %s (%v): rdd checks it every %s, and does not kill it; to restart it, run 'rdd stop' and 'rdd start'",
		since, w.err, pingInterval)
}

// engineGone is sent when the engine's process has ended.
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

// attach starts to watch the running engine.
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
	a.cfg.Logger.Info("engine is running", "driver", have.Driver, "endpoint", endpoint, "reason", a.choice.reason)
	// Both loops end with the watch, and with the actor.
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

// checkHealth pings until ctx ends. The first ping is at once, so that trouble is
// reported before the engine is used.
func checkHealth(ctx context.Context, ping func(context.Context)) {
	for {
		begun := time.Now()
		bounded, cancel := context.WithTimeout(ctx, pingDeadline)
		ping(bounded)
		cancel()
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Until(begun.Add(pingInterval))):
		}
	}
}

// detach ends the watch. The engine can keep running.
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
		a.cfg.Logger.Info("the engine was stopped to restore its endpoint")
		return
	}
	err := m.err
	if err == nil {
		err = errors.New("its process has ended")
	}
	a.fail("the engine ended unexpectedly", err)
}

func (a *vmActor) onPinged(m pinged) {
	if m.watch != a.watch {
		return
	}
	if m.err == nil {
		m.watch.missed, m.watch.err, m.watch.note = 0, nil, m.note
		if a.facts.job != repairJob {
			m.watch.repairing, m.watch.repairErr, m.watch.repairs, m.watch.repairAt = false, nil, 0, time.Time{}
		}
		a.facts.endpointGone = false
		return
	}
	if m.watch.missed++; m.watch.missed == 1 {
		m.watch.missedSince = m.asked
	}
	m.watch.err = m.err
	if errors.Is(m.err, ErrEndpointGone) && m.watch.repairDue() {
		a.facts.endpointGone = true
	}
	a.cfg.Logger.Warn("a health check of the engine failed", "missed", m.watch.missed, "error", m.err)
}
