package app

import (
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/kube"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// use is the use of the engine, as far as this actor observes it.
type use struct {
	// idle is whether the VM should be stopped, until something uses the engine.
	idle bool
	// message says why, for users.
	message string
	// last is when App or a request last changed, or when VM or engine became ready.
	last time.Time
	// requests are those that are not finished.
	requests map[types.UID]struct{}
}

// idleDue reports that the VM may have been idle for long enough.
type idleDue struct{}

// isIdle reports whether the VM was stopped because it was idle.
func (v view) isIdle() bool {
	return v.use.idle && v.vm.State == messages.VMStopped && !v.vm.Desired && v.vm.Generation == v.app.Generation
}

// idleFor returns the time for which no client has used a VM that should stop; 0 if it
// should not.
func (v view) idleFor() time.Duration {
	if !v.use.idle || !v.running() {
		return 0
	}
	return v.app.Spec.VM.IdleStopAfter()
}

// canIdle reports whether vm.idleStop applies to the engine as it is now, and nothing is
// known to use it.
func (v view) canIdle() bool {
	switch {
	case !v.running() || !v.mirrored() || v.app.Spec.VM.IdleStopAfter() == 0:
		return false
	case v.engine.InUse || v.hub.InUse || len(v.use.requests) > 0:
		return false
	case v.use.idle:
		return true
	}
	return v.vm.State == messages.VMRunning && v.vm.Current && v.vm.Generation == v.app.Generation && v.vm.Driver == appv1.DriverLima &&
		v.engine.State == messages.EngineReady && v.engine.Seq == v.engineSeq && v.engine.Message == ""
}

// idleAt returns when a VM that nothing uses from now on should stop; ok is false if it
// should keep running.
func idleAt(v view) (at, used time.Time, ok bool) {
	if !v.canIdle() {
		return time.Time{}, time.Time{}, false
	}
	used = v.use.last
	for _, t := range []time.Time{v.vm.Used, v.engine.Used} {
		if t.After(used) {
			used = t
		}
	}
	return used.Add(v.app.Spec.VM.IdleStopAfter()), used, true
}

// updateIdle decides whether the VM should stop because it is idle, and when to decide again.
func (a *app) updateIdle() {
	at, used, ok := idleAt(a.view)
	now := time.Now()
	idle := ok && !now.Before(at)
	if idle != a.view.use.idle {
		a.view.use.idle = idle
		if idle {
			a.view.use.message = idleMessage(used)
			a.Logger.Info("the VM is stopped if no client uses it, because no container has run", "since", used)
		} else {
			a.view.use.last = now
			a.Logger.Info("the idle VM is used, and runs")
		}
	}
	if a.idleTimer != nil {
		a.idleTimer.Stop()
		a.idleTimer = nil
	}
	if ok && !idle {
		a.idleTimer = a.tasks.After(time.Until(at), idleDue{})
	}
}

func idleMessage(since time.Time) string {
	return fmt.Sprintf("the VM was stopped, because no container has run since %s; the next connection to the engine's socket starts it", since.Format(time.DateTime))
}

// touch records a use of the engine.
func (a *app) touch() { a.view.use.last = time.Now() }

// touchVM records that the VM became ready, or that something else than its idle stop
// happened to it.
func (a *app) touchVM(before, now messages.VMChanged) {
	if before.State != now.State && now.State != messages.VMStopping && now.State != messages.VMStopped {
		a.touch()
	}
}

func (a *app) touchEngine(before, now messages.EngineChanged) {
	if before.State != now.State && now.State == messages.EngineReady || before.InUse != now.InUse {
		a.touch()
	}
}

// touchApp records a change of the spec. The first App of this incarnation may be of an
// idle VM: then its status says so, for the same spec.
func (a *app) touchApp(before, now *appv1.App) {
	if before != nil && before.UID == now.UID && before.Generation == now.Generation {
		return
	}
	c := meta.FindStatusCondition(now.Status.Conditions, appv1.ConditionRunning)
	if before == nil && c != nil && c.Reason == appv1.ReasonIdle && c.ObservedGeneration == now.Generation {
		a.view.use.idle, a.view.use.message, a.view.use.last = true, c.Message, time.Time{}
		return
	}
	a.touch()
}

// requestDelivered records a request that is not finished, and the end of one.
func (a *app) requestDelivered(event kube.Event) {
	switch e := event.(type) {
	case kube.Changed:
		r := e.Object.(containersv1.Request)
		_, was := a.view.use.requests[r.GetUID()]
		if isPending := r.GetDeletionTimestamp() == nil && !containersv1.IsFinished(r); isPending {
			a.view.use.requests[r.GetUID()] = struct{}{}
			a.touch()
		} else if was {
			delete(a.view.use.requests, r.GetUID())
			a.touch()
		}
	case kube.Removed:
		delete(a.view.use.requests, e.Object.GetUID())
	case kube.Synced:
	}
}
