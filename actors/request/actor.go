package request

import (
	"context"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"

	"github.com/rancher-sandbox/rancher-desktop-daemon/actors/task"
	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/async"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// progressInterval is the shortest time between two writes of the progress.
const progressInterval = 500 * time.Millisecond

// request is the actor of a request.
type request struct {
	Config
	spec   spec
	report func(state string)
	tasks  *task.Runner
	view   view
	// version is the newest resource version observed.
	version string

	// engine that is connected, and home, the namespace of its mirrors.
	engine engine.Engine
	home   string
	// isAsking is set while the engine supervisor is asked; asked numbers the questions.
	isAsking bool
	asked    int
	// cancel ends the work under way; nil when there is none.
	cancel      context.CancelFunc
	engineRetry retry
	// isFresh is set when this incarnation has recorded a part of the work, until it
	// begins the next.
	isFresh bool

	// isWriting is set while a write is under way.
	isWriting  bool
	writeRetry retry
	// wakes is the time of the next wake-up.
	wakes time.Time
	timer *time.Timer
	// progress that is not in the status yet; nil when there is none. isThrottled is set
	// while it waits for its interval.
	progress    *containersv1.RequestProgress
	isThrottled bool
}

func newRequest(cfg Config, spec spec, report func(string)) actor.Actor {
	return &request{
		Config: cfg, spec: spec, report: report,
		engineRetry: retry{backoff: async.Backoff{Min: 200 * time.Millisecond, Max: 30 * time.Second}},
		writeRetry:  retry{backoff: async.Backoff{Min: 100 * time.Millisecond, Max: 30 * time.Second}},
	}
}

// toSelf is a message of the actor to itself: the result of a task, or a timer.
//
//sumtype:decl
type toSelf interface{ toSelf() }

type (
	// askDue reports that the time for an answer of the engine supervisor is over.
	askDue struct{ asked int }
	// retryDue reports that a pause is over.
	retryDue struct {
		of *retry
		// pause numbers the pauses: the end of a former one is stale.
		pause int
	}
	// wakeDue reports that a finished request may have expired.
	wakeDue struct{}
	// progressed reports how far the engine is with the request of a UID.
	progressed struct {
		uid      types.UID
		progress containersv1.RequestProgress
	}
	// progressDue reports that the progress can be written again.
	progressDue struct{}
)

func (askDue) toSelf()      {}
func (retryDue) toSelf()    {}
func (wakeDue) toSelf()     {}
func (progressed) toSelf()  {}
func (progressDue) toSelf() {}
func (worked) toSelf()      {}
func (written) toSelf()     {}

// retry paces the attempts of one kind of call.
type retry struct {
	backoff async.Backoff
	// attempts is how many attempts failed in a row.
	attempts int
	// isWaiting is set during a pause; pause is the number of the last one.
	isWaiting bool
	pause     int
}

func (r *retry) later(tasks *task.Runner) {
	r.attempts++
	r.pause++
	r.isWaiting = true
	tasks.After(r.backoff.Delay(r.attempts), retryDue{of: r, pause: r.pause})
}

// reset ends the pause, and forgets earlier failures.
func (r *retry) reset() { r.attempts, r.isWaiting = 0, false }

// Receive implements actor.Actor.
func (r *request) Receive(c actor.Context) {
	switch msg := c.Message().(type) {
	case *actor.Started:
		r.tasks = task.NewRunner(c)
		return
	case *actor.Stopping, *actor.Restarting:
		r.tasks.Stop()
		return
	case *actor.Stopped:
		return
	case messages.ToRequest:
		r.receive(msg)
	case task.Done:
		if value, ok := r.tasks.Take(msg); ok {
			r.receiveOwn(value.(toSelf))
		}
	default:
		r.Logger.Error("unexpected message for a request", "request", r.spec.path(), "message", msg)
		return
	}
	r.step(c)
}

func (r *request) receive(msg messages.ToRequest) {
	switch msg := msg.(type) {
	case messages.RequestChanged:
		r.changed(msg.Object)
	case messages.EngineAvailable:
		r.engineRetry.reset()
	case messages.EngineOpened:
		r.opened(msg)
	}
}

func (r *request) receiveOwn(msg toSelf) {
	switch msg := msg.(type) {
	case askDue:
		r.unanswered(msg)
	case retryDue:
		if msg.pause == msg.of.pause {
			msg.of.isWaiting = false
		}
	case wakeDue:
		r.wakes = time.Time{}
	case progressed:
		r.progressed(msg)
	case progressDue:
		r.isThrottled = false
		r.showProgress()
	case worked:
		r.worked(msg)
	case written:
		r.written(msg)
	}
}

// step does what is to be done next.
func (r *request) step(c actor.Context) {
	v := r.view
	v.hasEngine, v.isBusy, v.isWorking = r.engine != nil, r.isAsking || r.cancel != nil, r.cancel != nil
	v.isPausing, v.isRefused, v.now = r.engineRetry.isWaiting, r.Refusal != "", time.Now()
	p := decide(v)
	if p.cancel {
		r.cancel()
		r.cancel = nil
	}
	switch p.step {
	case openEngine:
		r.open(c)
	case work:
		r.work()
		p.write = decide(r.view).write // the status says so
	}
	if p.write != noWrite && !r.isWriting && !r.writeRetry.isWaiting {
		r.write(p.write)
	}
	r.wakeAt(p.wake)
	r.reportState(p)
}

// wakeAt sets the timer of a finished request.
func (r *request) wakeAt(at time.Time) {
	if at.IsZero() || at.Equal(r.wakes) {
		return
	}
	if r.timer != nil {
		r.timer.Stop()
	}
	r.wakes = at
	r.timer = r.tasks.After(time.Until(at), wakeDue{})
}

func (r *request) reportState(p plan) {
	state := "waiting"
	switch {
	case r.view.resource == nil:
	case containersv1.IsFinished(r.view.resource):
		state = "finished"
	case r.Refusal != "":
		state = "refused"
	case r.cancel != nil:
		state = "working"
	case p.write != noWrite:
		state = string(p.write)
	}
	r.report(state)
}

// changed replaces the resource by a newer version. Resource versions increase across all
// resources of the datastore. A resource of another UID is another request.
func (r *request) changed(obj containersv1.Request) {
	order, err := resourceversion.CompareResourceVersion(obj.GetResourceVersion(), r.version)
	if err == nil && order < 0 {
		return
	}
	r.version = obj.GetResourceVersion()
	old := r.view.resource
	r.view.resource = obj
	if old == nil || old.GetUID() != obj.GetUID() {
		if r.cancel != nil {
			r.cancel()
			r.cancel = nil
		}
		r.view.desired, r.view.isGone, r.view.mustStore = obj.CopyRequest(), false, false
		r.view.sent, r.view.answer = nil, nil
		r.progress, r.isFresh = nil, false
		r.engineRetry.reset()
		if r.Refusal != "" {
			waiting(r.view.desired.CommonStatus(), containersv1.ReasonNotAllowed, r.Refusal)
		}
	}
	r.recordChange(old, obj)
}
