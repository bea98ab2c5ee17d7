package vm

import (
	"cmp"
	"log/slog"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/rancher-sandbox/rancher-desktop-daemon/actors/task"
	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/async"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// Config is the configuration of the VM actor.
type Config struct {
	// Drivers are the drivers, in the order in which auto tries them.
	Drivers []Driver
	// Logger can be nil, for no logs.
	Logger *slog.Logger
	// Report is called from Receive at each change of state, for the picture of the
	// tree. It can be nil, and must not block.
	Report func(state string)
}

// Producer returns a producer of VM actors. Each actor starts without state, after a
// restart too, and learns it from an EnsureVM and from the drivers.
func Producer(cfg Config) actor.Producer {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Report == nil {
		cfg.Report = func(string) {}
	}
	return func() actor.Actor { return &vmActor{cfg: cfg} }
}

// vmActor is the actor. Only Receive touches its fields. Driver calls run in
// goroutines without access to them, and answer with messages.
type vmActor struct {
	cfg   Config
	root  *actor.RootContext
	tasks *task.Runner

	// subscriber sent the last EnsureVM, and gets a VMChanged at each change.
	subscriber *actor.PID
	generation int64
	desired    desiredState
	facts      facts

	// last is the driver of the last managed engine, until an EnsureVM requests a
	// stop.
	last appv1.DriverName

	// call is the driver call in flight, for facts.job.
	call *call
	// watch follows the attached engine.
	watch *watch
	// failure is the last failure, until a retry succeeds.
	failure failure

	choice   choice
	endpoint string
	progress string
	// stopNote is what a user should know about the last stop.
	stopNote string

	// refusal is why the running engine cannot be replaced, while facts.refused is
	// set. checkedFor is the generation of that check.
	refusal    error
	checkedFor int64
	// recheck is the timer of the next check.
	recheck *time.Timer

	// hold has the connections to the engine of an idle VM; nil if there are none. relay
	// has those that were forwarded to the engine since.
	hold, relay Hold
	// used is when the engine of an idle VM was last used; see VMChanged.
	used time.Time

	// sent is the last VMChanged that was sent.
	sent messages.VMChanged
}

// failure is what failed, how many times in a row, and when it is retried.
type failure struct {
	what  string
	err   error
	count int
	retry time.Time
	timer *time.Timer
	// repeats is the number of starts in a row that ended early with this output.
	repeats int
	output  string
}

// Receive implements actor.Actor.
func (a *vmActor) Receive(ctx actor.Context) {
	answer := false
	switch m := ctx.Message().(type) {
	case *actor.Started:
		a.start(ctx)
		return
	case *actor.Stopping, *actor.Restarting:
		a.cleanUp()
		return
	case messages.ToVM:
		a.receive(ctx.Sender(), m)
		answer = true
	case task.Done:
		value, ok := a.tasks.Take(m)
		if !ok {
			return
		}
		a.receiveOwn(value.(toSelf))
	case *actor.Stopped:
		return
	default:
		a.cfg.Logger.Warn("unknown message", "type", typeName(m))
		return
	}
	a.releaseHold()
	a.act()
	a.publish(answer)
}

func (a *vmActor) receive(sender *actor.PID, msg messages.ToVM) {
	switch m := msg.(type) {
	case messages.EnsureVM:
		a.ensure(sender, m)
	}
}

// toSelf is a message of the actor to itself: the result of a task, or a timer.
//
//sumtype:decl
type toSelf interface{ toSelf() }

func (needed) toSelf()     {}
func (progressed) toSelf() {}
func (checkDue) toSelf()   {}
func (callDone) toSelf()   {}
func (retryDue) toSelf()   {}
func (engineGone) toSelf() {}
func (pinged) toSelf()     {}

func (a *vmActor) receiveOwn(msg toSelf) {
	switch m := msg.(type) {
	case needed:
		a.onNeeded(m)
	case progressed:
		a.onProgress(m)
	case checkDue:
		a.onCheckDue(m)
	case callDone:
		a.onCallDone(m)
	case retryDue:
		a.onRetryDue(m)
	case engineGone:
		a.onEngineGone(m)
	case pinged:
		a.onPinged(m)
	}
}

func (a *vmActor) start(ctx actor.Context) {
	a.root, a.tasks = ctx.ActorSystem().Root, task.NewRunner(ctx)
	a.sent = messages.VMChanged{State: messages.VMStopped, Since: time.Now()}
	a.cfg.Report(string(messages.VMStopped))
}

// cleanUp stops tasks and timers. The engine keeps running.
func (a *vmActor) cleanUp() {
	a.clearFailure()
	a.closeHold()
	a.tasks.Stop()
}

// ensure sets the desired state. A change ends the back-off after a failure, because
// it can have fixed the cause.
func (a *vmActor) ensure(sender *actor.PID, m messages.EnsureVM) {
	if sender != nil {
		a.subscriber = sender
	}
	w := desiredState{known: true, running: m.Running, idle: m.Idle, spec: m.Spec}
	if w != a.desired || m.Generation != a.generation {
		a.facts.waiting, a.facts.checked = false, false
	}
	if w != a.desired {
		a.clearFailure()
	}
	if !w.running && w.idle == 0 {
		a.last = ""
	}
	a.facts.inUse = false
	a.desired, a.generation = w, m.Generation
}

// act performs the next action that follows from desired state and facts.
func (a *vmActor) act() {
	switch next(a.desired, a.facts) {
	case doInspect:
		a.inspect()
	case doCheck:
		a.check()
	case doStart:
		a.startEngine()
	case doStop:
		a.stopEngine()
	case doCancel:
		a.facts.cancelled = true
		a.call.cancel()
	case doRepair:
		a.repair()
	case doHold:
		a.holdConnections()
	case doNothing:
	}
}

// permanent reports whether a start fails like this until the user changes something.
func (f failure) permanent() bool { return IsPermanent(f.err) || f.repeats >= maxRepeats }

// backoff returns the back-off of retries. A permanent failure is retried too,
// seldom, because its cause can be fixed without a change of the App.
func (f failure) backoff() async.Backoff {
	if f.permanent() {
		return async.Backoff{Min: 15 * time.Second, Max: 5 * time.Minute}
	}
	return retryBackoff()
}

// retryBackoff returns the back-off after a failure that is not permanent.
func retryBackoff() async.Backoff {
	return async.Backoff{Min: 500 * time.Millisecond, Max: 30 * time.Second}
}

// fail records a failure and schedules the retry.
func (a *vmActor) fail(what string, err error) {
	a.failure.what, a.failure.err = what, err
	a.failure.count++
	a.failure.compare(err)
	wait := a.failure.backoff().Delay(a.failure.count)
	a.failure.retry = time.Now().Add(wait)
	a.facts.waiting = true
	a.facts.inspected = false
	if a.failure.timer != nil {
		a.failure.timer.Stop()
	}
	a.failure.timer = a.tasks.After(wait, retryDue{at: a.failure.retry})
	a.cfg.Logger.Warn(what, "error", err, "failures", a.failure.count, "retryIn", wait)
}

func (a *vmActor) clearFailure() {
	if a.failure.timer != nil {
		a.failure.timer.Stop()
	}
	a.failure = failure{}
	a.facts.waiting = false
}

// retryDue is sent when a failed call can be retried.
type retryDue struct{ at time.Time }

func (a *vmActor) onRetryDue(m retryDue) {
	if m.at.Equal(a.failure.retry) {
		a.facts.waiting = false
	}
}

// preferred returns the driver that auto keeps when the engine is replaced. It is
// empty if no engine has run yet.
func (a *vmActor) preferred() appv1.DriverName { return cmp.Or(a.last, a.facts.foundBy) }

// driverName returns the driver in use. It is empty if none was chosen yet.
func (a *vmActor) driverName() appv1.DriverName {
	if a.choice.driver == nil {
		return a.facts.foundBy
	}
	return a.choice.driver.Name()
}
