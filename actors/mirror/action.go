package mirror

import (
	"context"
	"errors"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
)

// An action is carried out once, although the daemon can be killed at any moment. It has
// three steps:
//
//  1. A write accepts the action that the annotation requests: status.lastAction is
//     Running, and has the run of the container before the action.
//  2. The engine is called.
//  3. A write stores the outcome, and removes the annotation.
//
// A mirror that finds an action Running and has not accepted it itself cannot know
// whether the engine was called. It compares the container with the recorded run.

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
		return accepted(c.RequestedAction(), nowMicro(), v)
	case running == nil:
		return c.Status.LastAction
	case hasResult(v, running):
		return completed(running, *v.result)
	case isTerminating(c) && v.inFlight == nothing:
		err := errDeletedSince
		if isOwn(v, running) {
			err = errDeleted
		}
		return completed(running, actionResult{completedAt: nowMicro(), err: err})
	case isInterrupted(v) && v.inFlight == nothing:
		return completed(running, actionResult{completedAt: nowMicro(), err: errKilled})
	case isOwn(v, running) && v.engine == present && !isSameRun(running, v.object):
		return accepted(running.Action, running.ObservedAt, v)
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

// accepted returns an action with the run of the container that it begins with.
func accepted(action containersv1.Action, at metav1.MicroTime, v view) *containersv1.ActionStatus {
	run := v.object.(*containersv1.Container).Status.Run()
	return &containersv1.ActionStatus{Action: action, State: containersv1.ActionRunning, ObservedAt: at, Before: &run}
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
	return !hasResult(v, running) && !isInterrupted(v) && (!isOwn(v, running) || isSameRun(running, v.object))
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

// isOwn reports whether this mirror has accepted the action and has not called the engine
// for it.
func isOwn(v view, running *containersv1.ActionStatus) bool {
	return v.accepted != nil && v.accepted.Equal(&running.ObservedAt)
}

func isSameRun(running *containersv1.ActionStatus, object containersv1.Mirror) bool {
	return running.Before != nil && running.Before.StartedAt.Equal(object.(*containersv1.Container).Status.StartedAt)
}

// acceptedBy returns the observedAt of the action that a written status has accepted; nil
// if it has accepted none.
func acceptedBy(v view, written containersv1.Mirror) *metav1.MicroTime {
	c, ok := written.(*containersv1.Container)
	if !ok || c.RunningAction() == nil {
		return nil
	}
	if running := v.resource.(*containersv1.Container).RunningAction(); running != nil && running.ObservedAt.Equal(&c.RunningAction().ObservedAt) {
		return nil
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
// daemon may have requested: the container is no longer as it was before.
func wasCarriedOut(action *containersv1.ActionStatus, now *containersv1.ContainerStatus) bool {
	before := action.Before
	if before == nil {
		return true // the engine may have carried it out, and must not do it twice
	}
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
	before, own := out.fact, isOwn(v, action)
	if own && !isSameRun(action, before) {
		out.outdated = true // the run of the call must be recorded first
		return
	}
	out.result = &actionResult{action: action.Action, observedAt: action.ObservedAt}
	if own || !wasCarriedOut(action, &before.(*containersv1.Container).Status) {
		err := cfg.callForAction(ctx, key, action)
		if err != nil && (engine.IsUnreachable(err) || ctx.Err() != nil) {
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
