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

// Config of the VM actor.
type Config struct {
	// Drivers in the order in which auto tries them.
	Drivers []Driver
	// Logger; nil logs nothing.
	Logger *slog.Logger
	// Report is called from Receive at each change of state, to feed the live
	// picture of the tree; it may be nil and must not block.
	Report func(state string)
}

// Producer makes VM actors. Each of them, restarted ones included, starts
// knowing nothing and learns from an EnsureVM and from the drivers.
func Producer(cfg Config) actor.Producer {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Report == nil {
		cfg.Report = func(string) {}
	}
	return func() actor.Actor { return &vmActor{cfg: cfg} }
}

// vmActor is touched in Receive only. Driver calls run in goroutines that see
// nothing of it and answer with messages.
type vmActor struct {
	cfg   Config
	root  *actor.RootContext
	tasks *task.Runner

	// asker is who sent the last EnsureVM, and is told of every change.
	asker      *actor.PID
	generation int64
	wish       wish
	facts      facts

	// last is the driver of the last engine of rdd's own, for as long as one has
	// been wished without a break.
	last appv1.DriverName

	// call is the driver call in flight, for facts.job.
	call *call
	// watch follows the attached engine.
	watch *watch
	// failure is the last one, while facts.waiting or a retry is under way.
	failure failure

	choice   choice
	endpoint string
	progress string
	// stopNote is what a user should know about the last stop.
	stopNote string

	// refusal is why the wished engine cannot take the place of the one there is,
	// while facts.refused, and checkedFor the generation for which that was asked.
	refusal    error
	checkedFor int64
	// recheck is when it is asked again.
	recheck *time.Timer

	// told is the last VMChanged that was sent.
	told messages.VMChanged
}

// failure is what went wrong, how often in a row, and when it is tried again.
type failure struct {
	what  string
	err   error
	count int
	retry time.Time
	timer *time.Timer
	// alike is how often in a row a start ended early with these words.
	alike int
	words string
}

// Receive implements actor.Actor.
func (a *vmActor) Receive(ctx actor.Context) {
	answer := false
	switch m := ctx.Message().(type) {
	case *actor.Started:
		a.begin(ctx)
		return
	case *actor.Stopping, *actor.Restarting:
		a.finish()
		return
	case messages.EnsureVM:
		a.ensure(ctx.Sender(), m)
		answer = true
	case task.Done:
		value, ok := a.tasks.Take(m)
		if !ok {
			return
		}
		a.receiveOwn(value)
	case *actor.Stopped:
		return
	default:
		a.cfg.Logger.Warn("message not understood", "type", typeName(m))
		return
	}
	a.act()
	a.tell(answer)
}

// receiveOwn takes up what this actor's own tasks tell.
func (a *vmActor) receiveOwn(value any) {
	switch m := value.(type) {
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

func (a *vmActor) begin(ctx actor.Context) {
	a.root, a.tasks = ctx.ActorSystem().Root, task.NewRunner(ctx)
	a.told = messages.VMChanged{State: messages.VMStopped, Since: time.Now()}
	a.cfg.Report(string(messages.VMStopped))
}

// finish lets go of everything in this process. The engine runs on.
func (a *vmActor) finish() {
	a.clearFailure()
	a.tasks.Stop()
}

// ensure takes up what is wished. A change of it ends the wait after a failure,
// since the reason of the failure may have gone with it.
func (a *vmActor) ensure(sender *actor.PID, m messages.EnsureVM) {
	if sender != nil {
		a.asker = sender
	}
	w := wish{known: true, running: m.Running, spec: m.Spec}
	if w != a.wish || m.Generation != a.generation {
		a.facts.waiting, a.facts.checked = false, false
	}
	if w != a.wish {
		a.clearFailure()
	}
	if !w.running {
		a.last = ""
	}
	a.wish, a.generation = w, m.Generation
}

// act carries out what follows from wish and facts, until nothing does or a
// driver call is in flight.
func (a *vmActor) act() {
	switch next(a.wish, a.facts) {
	case doInspect:
		a.inspect()
	case doCheck:
		a.check()
	case doStart:
		a.start()
	case doStop:
		a.stop()
	case doCancel:
		a.facts.cancelled = true
		a.call.cancel()
	case doRepair:
		a.repair()
	case doNothing:
	}
}

// permanent is whether a start fails in this way until something is changed.
func (f failure) permanent() bool { return IsPermanent(f.err) || f.alike >= alikeAtMost }

// backoff is the wait before what failed is tried again. What is known to fail
// again is only tried in case its cause has gone without a change of the App.
func (f failure) backoff() async.Backoff {
	if f.permanent() {
		return async.Backoff{Min: 15 * time.Second, Max: 5 * time.Minute}
	}
	return retryBackoff()
}

// retryBackoff is the wait before what failed is tried again.
func retryBackoff() async.Backoff {
	return async.Backoff{Min: 500 * time.Millisecond, Max: 30 * time.Second}
}

// fail records a failure and sets the time of the next try.
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

// retryDue says that a failed call may be tried again.
type retryDue struct{ at time.Time }

func (a *vmActor) onRetryDue(m retryDue) {
	if m.at.Equal(a.failure.retry) {
		a.facts.waiting = false
	}
}

// stay is the driver that auto stays with through a change of the engine; empty
// when nothing has run yet.
func (a *vmActor) stay() appv1.DriverName { return cmp.Or(a.last, a.facts.foundBy) }

// driverName is the driver in use; empty while none was picked.
func (a *vmActor) driverName() appv1.DriverName {
	if a.choice.driver == nil {
		return a.facts.foundBy
	}
	return a.choice.driver.Name()
}
