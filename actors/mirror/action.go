package mirror

import (
	"context"
	"errors"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
)

// An action is carried out once, although the daemon can be killed at any moment. It has
// four steps:
//
//  1. A write accepts the action that the annotation requests: status.lastAction is Running.
//  2. The container is read, and a write records its run before the action. An earlier
//     reading can be outdated: after an outage, the container may have been started since.
//  3. The engine is called.
//  4. A write stores the outcome, and removes the annotation.
//
// A mirror that finds a Running action with a recorded run, and has not recorded it itself,
// cannot know whether the engine was called. It compares the container with that run.

// errDeleted and errDeletedSince are the outcomes of an action on a container that is being
// deleted: of one that was not sent to the engine, and of one that may have been sent.
var (
	errDeleted      = errors.New("the container is being deleted")
	errDeletedSince = errors.New("the container was deleted before the action ended: the engine may still complete the action")
)

// errKilled is the outcome of a stop or a restart that a kill interrupts.
var errKilled = errors.New("a kill was requested before the action ended: the engine may still complete the action")

// actionResult is the outcome of the action that was accepted at a time.
type actionResult struct {
	action      containersv1.Action
	observedAt  metav1.MicroTime
	completedAt metav1.MicroTime
	// err is the refusal of the engine, or nil.
	err error
}

func nowMicro() metav1.MicroTime {
	return metav1.MicroTime{Time: time.Now().UTC().Truncate(time.Microsecond)}
}

// composeAction returns the status.lastAction that the resource should have.
func composeAction(v view) *containersv1.ActionStatus {
	c := v.resource.(*containersv1.Container)
	running := c.RunningAction()
	switch {
	case running == nil && acceptsAction(v):
		return &containersv1.ActionStatus{Action: c.RequestedAction(), State: containersv1.ActionRunning, ObservedAt: nowMicro()}
	case running == nil:
		return c.Status.LastAction
	case hasResult(v, running):
		return completed(running, *v.result)
	case isTerminating(c) && v.inFlight == nothing:
		err := errDeletedSince
		if isUncalled(v, running) {
			err = errDeleted
		}
		return completed(running, actionResult{completedAt: nowMicro(), err: err})
	case isInterrupted(v) && v.inFlight == nothing:
		return completed(running, actionResult{completedAt: nowMicro(), err: errKilled})
	case mustRecord(v, running):
		recorded, run := *running, v.object.(*containersv1.Container).Status.Run()
		recorded.Before = &run
		return &recorded
	}
	return running
}

// acceptsAction reports whether the annotation requests an action that can begin now. A
// call to the engine that is in flight ends first, because it can change the run.
func acceptsAction(v view) bool {
	c, ok := v.resource.(*containersv1.Container)
	return ok && c.RequestedAction() != "" && c.RunningAction() == nil && !isTerminating(c) &&
		v.engine == present && !v.engineGone && v.inFlight == nothing
}

// mustRecord reports whether the run before an action must be written before the engine is
// called: it was read for the action, and differs from what is recorded. A call in flight
// changes the run itself.
func mustRecord(v view, running *containersv1.ActionStatus) bool {
	return isUncalled(v, running) && v.wasRead && v.inFlight == nothing && v.engine == present && !isSameRun(running, v.object)
}

func completed(running *containersv1.ActionStatus, result actionResult) *containersv1.ActionStatus {
	out := *running
	out.State, out.CompletedAt, out.Before = containersv1.ActionSucceeded, &result.completedAt, nil
	if result.err != nil {
		out.State, out.Error = containersv1.ActionFailed, result.err.Error()
	}
	return &out
}

// hasPendingAction reports whether the engine must be called for an action. The run
// before the call is recorded first.
func hasPendingAction(v view) bool {
	c, ok := v.resource.(*containersv1.Container)
	if !ok || c.RunningAction() == nil {
		return false
	}
	running := c.RunningAction()
	return !hasResult(v, running) && !isInterrupted(v) && !mustRecord(v, running)
}

// requestsKill reports whether the annotation requests a kill that can succeed. A kill does
// not wait for a stop, which can take indefinitely: a container can have no stop timeout.
func requestsKill(v view) bool {
	c, ok := v.resource.(*containersv1.Container)
	return ok && c.RequestedAction() == containersv1.ActionKill && v.engine == present &&
		v.object.(*containersv1.Container).Status.Status.IsActive()
}

// isInterrupted reports whether a kill interrupts the action that is Running.
func isInterrupted(v view) bool {
	running := v.resource.(*containersv1.Container).RunningAction()
	return running != nil && waitsForEnd(runAction, v.resource) && !hasResult(v, running) && requestsKill(v)
}

// isSameAction reports whether the action that is Running was so in an earlier version.
func isSameAction(old containersv1.Mirror, now *containersv1.Container) bool {
	before, ok := old.(*containersv1.Container)
	return ok && before.RunningAction() != nil && before.RunningAction().ObservedAt.Equal(&now.RunningAction().ObservedAt)
}

// waitsForEnd reports whether an operation waits until the container has ended.
func waitsForEnd(op operation, resource containersv1.Mirror) bool {
	c, ok := resource.(*containersv1.Container)
	switch {
	case !ok:
	case op == applyDesiredState:
		return c.Spec.State == containersv1.StateCreated
	case op == runAction && c.RunningAction() != nil:
		action := c.RunningAction().Action
		return action == containersv1.ActionStop || action == containersv1.ActionRestart
	}
	return false
}

// hasResult reports whether the outcome of the action is known and not yet written.
func hasResult(v view, running *containersv1.ActionStatus) bool {
	return v.result != nil && v.result.observedAt.Equal(&running.ObservedAt)
}

// isUncalled reports whether the engine was not called for the action: no run is recorded,
// or this mirror has recorded it and has called no engine that may have carried it out.
func isUncalled(v view, running *containersv1.ActionStatus) bool {
	return running.Before == nil || v.recorded != nil && v.recorded.Equal(&running.ObservedAt)
}

func isSameRun(running *containersv1.ActionStatus, object containersv1.Mirror) bool {
	return running.Before != nil && running.Before.StartedAt.Equal(object.(*containersv1.Container).Status.StartedAt)
}

// recordedBy returns the observedAt of the action whose run before it a written status has
// recorded; nil if it has recorded none.
func recordedBy(v view, written containersv1.Mirror) *metav1.MicroTime {
	c, ok := written.(*containersv1.Container)
	if !ok || c.RunningAction() == nil || c.RunningAction().Before == nil {
		return nil
	}
	if equality.Semantic.DeepEqual(c.RunningAction(), v.resource.(*containersv1.Container).RunningAction()) {
		return nil // another part of the status was written, perhaps during the call
	}
	return &c.RunningAction().ObservedAt
}

// endsAction reports whether a status ends the action that the annotation of the stored
// resource requests, so that the annotation must go. Another word in it is the
// next action.
func endsAction(stored, status containersv1.Mirror) bool {
	c, ok := stored.(*containersv1.Container)
	if !ok || c.RunningAction() == nil || c.RequestedAction() != c.Status.LastAction.Action {
		return false
	}
	last := status.(*containersv1.Container).Status.LastAction
	return last != nil && last.State != containersv1.ActionRunning
}

// wasCarriedOut reports whether the engine has carried out an action that a former
// daemon may have requested: the container is no longer in the recorded run.
func wasCarriedOut(action *containersv1.ActionStatus, now *containersv1.ContainerStatus) bool {
	before := action.Before
	hasStarted := !before.StartedAt.Equal(now.StartedAt)
	switch action.Action {
	case containersv1.ActionStart, containersv1.ActionRestart:
		return hasStarted
	case containersv1.ActionStop, containersv1.ActionKill:
		return hasStarted || before.Status.IsActive() && !now.Status.IsActive()
	case containersv1.ActionPause:
		return before.Status != containersv1.ContainerPaused && now.Status == containersv1.ContainerPaused
	case containersv1.ActionUnpause:
		return before.Status == containersv1.ContainerPaused && now.Status == containersv1.ContainerRunning
	}
	return false
}

// runAction carries out the action that is Running, unless the engine has done that, and
// reads the container before and after it.
func (cfg Config) runAction(ctx context.Context, v view, out *outcome) {
	action := v.resource.(*containersv1.Container).RunningAction()
	key := engine.KeyOf(v.object)
	if err := cfg.readObject(ctx, key, out); err != nil {
		if !out.objectGone {
			out.err = err
		}
		return
	}
	before, isFirst := out.fact, isUncalled(v, action)
	if isFirst && !isSameRun(action, before) {
		out.outdated = true // the run of the call must be recorded first
		return
	}
	out.result = &actionResult{action: action.Action, observedAt: action.ObservedAt}
	if isFirst || !wasCarriedOut(action, &before.(*containersv1.Container).Status) {
		err := cfg.callForAction(ctx, key, action)
		isAway := v.isAway(err)
		out.wasCalled = !isAway || engine.IsUnreachable(err)
		if err != nil && (isAway || ctx.Err() != nil) {
			out.result, out.err = nil, err
			return
		}
		out.result.err = err
		_ = cfg.readObject(ctx, key, out)
	}
	out.result.completedAt = nowMicro()
}

// callForAction calls the engine for an action. A stop and a restart bound themselves.
func (cfg Config) callForAction(ctx context.Context, key engine.Key, action *containersv1.ActionStatus) error {
	switch action.Action {
	case containersv1.ActionRestart:
		return cfg.Engine.Restart(ctx, key, action.Before.StartedAt)
	case containersv1.ActionStop:
		return cfg.Engine.Do(ctx, key, engine.VerbStop)
	}
	ctx, cancel := context.WithTimeout(ctx, operationTimeout)
	defer cancel()
	return cfg.Engine.Do(ctx, key, verbOf(action.Action))
}

// verbOf returns the verb of an action that is one.
func verbOf(action containersv1.Action) engine.Verb {
	return map[containersv1.Action]engine.Verb{
		containersv1.ActionStart: engine.VerbStart, containersv1.ActionPause: engine.VerbPause,
		containersv1.ActionUnpause: engine.VerbUnpause, containersv1.ActionKill: engine.VerbKill,
	}[action]
}
