package mirror

import (
	"context"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/rancher-sandbox/rancher-desktop-daemon/actors/task"
	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/async"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// toSelf is a message of the mirror to itself: the result of a task, or a timer.
//
//sumtype:decl
type toSelf interface{ toSelf() }

// retryDue reports that the pause before a retry is over.
type retryDue struct {
	of *retry
	// pause numbers the pauses: the end of a former one is stale.
	pause int
}

func (retryDue) toSelf() {}
func (outcome) toSelf()  {}

// retry schedules the retries of one kind of call.
type retry struct {
	backoff async.Backoff
	// attempts is how many attempts failed in a row.
	attempts int
	// waits is the operation that waits until the timer fires; nothing when none does.
	waits operation
	// pause is the number of the last pause.
	pause int
	// unreachable is set when the last attempt did not reach the engine.
	unreachable bool
	// shutdowns is how many of the last attempts failed because the engine shuts down.
	shutdowns int
	timer     *time.Timer
}

// later plans the next retry of an operation.
func (r *retry) later(tasks *task.Runner, op operation) {
	r.attempts++
	r.waits = op
	r.pause++
	if r.timer != nil {
		r.timer.Stop()
	}
	r.timer = tasks.After(r.backoff.Delay(r.attempts), retryDue{of: r, pause: r.pause})
}

// failedWith notes whether the engine was reached.
func (r *retry) failedWith(err error) {
	r.unreachable = engine.IsUnreachable(err)
	if r.shutdowns++; r.unreachable || !engine.IsAway(err) {
		r.shutdowns = 0
	}
}

// reset ends the pause, and forgets earlier failures.
func (r *retry) reset() {
	if r.timer != nil {
		r.timer.Stop()
	}
	*r = retry{backoff: r.backoff, pause: r.pause}
}

// ended handles the end of a pause, which can be a former one.
func (r *retry) ended(pause int) {
	if pause == r.pause {
		r.waits = nothing
	}
}

// lane runs operations of one kind, one at a time.
type lane struct {
	// running is nothing while the lane is free.
	running operation
	cancel  context.CancelFunc
	// abandoned is set when the operation was cancelled because it is no longer
	// needed. Its error is not a failure.
	abandoned bool
	retry     retry
	// err is why the last operation failed.
	err error
}

// abandon cancels the operation.
func (l *lane) abandon() {
	l.abandoned = true
	l.cancel()
}

// runner returns the operation as a task.
func (cfg Config) runner(op operation, v view) func(context.Context) any {
	return func(ctx context.Context) any { return cfg.operate(ctx, op, v) }
}

// done handles the result of a task.
func (m *mirror) done(c actor.Context, d task.Done) {
	value, ok := m.tasks.Take(d)
	if !ok {
		return
	}
	switch v := value.(toSelf).(type) {
	case retryDue:
		v.of.ended(v.pause)
	case outcome:
		m.apply(v)
		if v.fact != nil {
			c.Send(c.Parent(), messages.MirrorRead{Object: v.fact, AsOf: v.began})
		}
	}
}

func (m *mirror) apply(out outcome) {
	l := &m.api
	if out.op.callsEngine() {
		l = &m.engine
	}
	l.running = nothing
	if l.abandoned {
		out.err = nil
	}
	if out.resource != nil {
		containersv1.TrimManagedFields(out.resource)
		containersv1.ShareLabels(out.resource)
		m.changed(out.resource)
		m.recordCreation(out)
	}
	if out.resourceGone {
		m.view.resource, m.removed = nil, out.uid
	}
	if out.fact != nil && !m.view.engineGone { // only the session knows that the engine is back
		m.seen(out.fact, out.began)
	}
	if out.objectGone {
		m.gone(out.began)
	}
	if out.isLeaving {
		m.view.engineGone = true // as far as this resource is concerned
	}
	if out.recorded != nil {
		m.view.recorded = out.recorded
	}
	if out.op == runAction {
		m.view.wasRead = out.fact != nil
	}
	if out.wasCalled {
		m.view.recorded = nil
	}
	l.err = out.err
	switch {
	case out.op.callsEngine() && l.abandoned:
	case out.op.callsEngine():
		m.applyEngineAnswer(out)
	case out.err == nil:
		l.retry.reset()
	default:
		m.Logger.Warn("mirror could not be written", "err", out.err)
		l.retry.later(m.tasks, out.op)
	}
}

// applyEngineAnswer updates the view after the engine answered a user's request.
func (m *mirror) applyEngineAnswer(out outcome) {
	switch {
	case out.outdated:
	case out.err != nil:
		m.Logger.Warn("request of a user failed", "err", out.err)
		m.engine.retry.later(m.tasks, out.op)
		m.engine.retry.failedWith(out.err)
	case out.refused != nil:
		m.refuse(out)
	case out.op == runAction:
		m.actionEnded(out)
	default:
		if !out.wasDone {
			m.logAct(out)
		} else if out.op == removeObject && m.worksOn(out) {
			m.view.deleted = true
		}
		m.engine.retry.reset()
		m.view.refusal = refusal{}
		if out.op == applyDesiredState && m.worksOn(out) {
			m.view.applied = out.generation
		}
	}
}

// actionEnded updates the view after the engine has answered an action. A refused action
// is not retried. After one that succeeded, such as a kill, a desired state that the engine
// refused before can be applied.
func (m *mirror) actionEnded(out outcome) {
	hasSucceeded := out.result != nil && out.result.err == nil
	if m.engine.retry.waits == runAction || m.engine.retry.unreachable || hasSucceeded {
		m.engine.retry.reset()
	}
	if out.result == nil || !m.worksOn(out) {
		return
	}
	m.view.result = out.result
	m.Logger.Info("engine answered an action", m.act(out, "action", out.result.action, "refused", out.result.err)...)
}

// logAct logs a user's request that the engine applied.
func (m *mirror) logAct(out outcome) {
	attributes := []any{"operation", out.op}
	if c, ok := m.view.resource.(*containersv1.Container); ok && out.op == applyDesiredState {
		attributes = append(attributes, "state", c.Spec.State)
	}
	m.Logger.Info("engine applied a request", m.act(out, attributes...)...)
}

// act returns the attributes of a line about a call of the engine: the object, what was
// called, and who requested it.
func (m *mirror) act(out outcome, attributes ...any) []any {
	attributes = append([]any{"kind", m.Kind, "mirror", m.Name}, attributes...)
	if out.requester != "" {
		attributes = append(attributes, "requestedBy", out.requester)
	}
	return attributes
}

// worksOn reports whether the resource is still the one of the operation.
func (m *mirror) worksOn(out outcome) bool {
	return m.view.resource != nil && m.view.resource.GetUID() == out.uid
}

func (m *mirror) refuse(out outcome) {
	if !m.worksOn(out) || m.view.resource.GetGeneration() != out.generation {
		return // the user has changed the request meanwhile
	}
	condition := containersv1.ConditionStateReached
	if out.op == removeObject {
		condition = containersv1.ConditionEngineDeleted
	}
	m.view.refusal = refusal{condition: condition, message: out.refused.Error()}
	m.record(eventRecord{refusalReason(out.op, m.view.resource), m.view.refusal.message})
	m.engine.retry.later(m.tasks, out.op)
	m.Logger.Info("engine refused", m.act(out, "operation", out.op, "err", out.refused)...)
}
