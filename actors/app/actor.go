package app

import (
	"context"
	"log/slog"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rancher-sandbox/rancher-desktop-daemon/actors/task"
	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/kube"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// The names of actors below the root.
const (
	vmChild  = "vm"
	hubChild = "hub"
)

// adoptionGrace is how long the mirrors of a former daemon wait for its engine
// to be adopted.
const adoptionGrace = 15 * time.Second

// Writer is the part of the API server that the app actor needs.
type Writer interface {
	Get(ctx context.Context, obj client.Object) error
	Create(ctx context.Context, obj client.Object) error
	UpdateStatus(ctx context.Context, obj client.Object) error
}

// Config has the parts that the app actor is created from.
type Config struct {
	Kube Writer
	// Subscribe delivers objects and their changes; see kube.Informers.
	Subscribe func(ctx context.Context, sink func(kube.Event), objects ...client.Object) error
	// Namespace of the mirrors in an App that is created because there is none; empty
	// is the API's default.
	Namespace string
	// Existing searches for a managed engine that runs already; see vm.Existing.
	Existing func(ctx context.Context) (spec messages.VMSpec, found bool, err error)
	// VM and Engine receive the commands.
	VM, Engine *actor.PID
	// Hub receives the commands for the engine supervisor too; nil for none.
	Hub *actor.PID
	// Events records events of the App; nil records none.
	Events kube.Recorder
	Logger *slog.Logger
	// Report shows the actor's state in the live picture of the tree.
	Report func(state string)
}

// app is the actor.
type app struct {
	Config
	tasks *task.Runner
	view  view
	// sentVM and sentLink are the last commands; nil when they must be sent again.
	sentVM   *messages.EnsureVM
	sentLink *link
	// sentEngine is the last command for the engine supervisor; nil before the first one.
	sentEngine messages.EngineCommand
	// drainer waits for Drained; nil when there is no drain.
	drainer *actor.PID
	// draining is the last Draining that was sent.
	draining messages.Draining
	// synced is set once the subscription has delivered the App, if there is one.
	synced bool
	// writing is set while the resource is being written; waiting during the pause
	// before a failed write is retried.
	writing, waiting bool
	// attempts counts the writes that failed in a row.
	attempts int
	// probes counts the searches for a running engine that failed.
	probes int
	// lastSeenUID is the UID of the App that the subscription delivered last.
	lastSeenUID types.UID
	// removedUID is the UID of the App that was removed last. The result of an earlier
	// write to it can arrive later, and is stale.
	removedUID types.UID
	// idleTimer fires when the VM may have been idle for long enough.
	idleTimer *time.Timer
	// ready is set once the status of the App is of this incarnation.
	ready bool
}

// toSelf is a message of the actor to itself: the result of a task, or a timer.
//
//sumtype:decl
type toSelf interface{ toSelf() }

type (
	delivery        struct{ event kube.Event }
	subscribeFailed struct{ err error }
	writeDone       struct {
		app *appv1.App
		err error
	}
	writeDue struct{}
	// confirmDue reports that the subscription should have delivered this App by now.
	confirmDue struct{ app types.UID }
	graceOver  struct{}
)

func (idleDue) toSelf() {}

func (delivery) toSelf()        {}
func (subscribeFailed) toSelf() {}
func (writeDone) toSelf()       {}
func (writeDue) toSelf()        {}
func (confirmDue) toSelf()      {}
func (graceOver) toSelf()       {}

// New returns an app actor.
func New(cfg Config) actor.Actor {
	if cfg.Events == nil {
		cfg.Events = kube.NoEvents{}
	}
	return &app{Config: cfg, view: view{use: use{requests: map[types.UID]struct{}{}}}}
}

// Receive implements actor.Actor.
func (a *app) Receive(c actor.Context) {
	switch msg := c.Message().(type) {
	case *actor.Started:
		a.tasks = task.NewRunner(c)
		// Commands are numbered from the clock, so that an answer to a former
		// incarnation never has the number of a command of this one.
		a.view.engineSeq = uint64(time.Now().UnixNano())
		a.tasks.After(adoptionGrace, graceOver{})
		a.subscribe()
	case *actor.Stopping, *actor.Restarting:
		a.tasks.Stop()
		return
	case *actor.Stopped:
		return
	case messages.ToApp:
		a.receive(c, msg)
	case task.Done:
		if value, ok := a.tasks.Take(msg); ok {
			a.receiveOwn(value.(toSelf))
		}
	default:
		a.Logger.Error("unexpected message for the app actor", "message", msg)
		return
	}
	a.updateIdle()
	a.command(c)
	if a.write() && !a.ready {
		a.ready = true
		c.Send(c.Parent(), messages.AppReady{})
	}
	a.drain(c)
}

func (a *app) receive(c actor.Context, msg messages.ToApp) {
	switch msg := msg.(type) {
	case messages.VMChanged:
		a.record(vmEvents(a.view.vm, msg)...)
		a.touchVM(a.view.vm, msg)
		a.view.vm = msg
	case messages.EngineChanged:
		a.record(engineEvents(a.view.engine, msg)...)
		a.touchEngine(a.view.engine, msg)
		a.view.engine = msg
	case messages.HubChanged:
		if a.view.hub.InUse != msg.InUse {
			a.touch()
		}
		a.view.hub = msg
	case messages.ChildFailed:
		a.childFailed(c, msg)
	case messages.Drain:
		a.view.draining, a.drainer, a.draining = true, c.Sender(), messages.Draining{}
	}
}

func (a *app) receiveOwn(msg toSelf) {
	switch msg := msg.(type) {
	case delivery:
		a.delivered(msg.event)
	case subscribeFailed:
		panic(msg.err)
	case writeDone:
		a.writeEnded(msg)
	case writeDue:
		a.waiting = false
	case confirmDue:
		a.confirm(msg.app)
	case graceOver:
		a.view.graceOver = true
	case idleDue:
		// What follows from the time is decided after each message.
	}
}

// drain reports the progress of a Drain.
func (a *app) drain(c actor.Context) {
	if a.drainer == nil {
		return
	}
	if now := draining(a.view); now != a.draining {
		a.draining = now
		c.Send(a.drainer, now)
	}
	if a.synced && (a.view.app == nil || a.view.drained()) {
		c.Send(a.drainer, messages.Drained{})
		a.drainer = nil
	}
}

// childFailed repeats the last command, because the actor restarts empty, and drops the
// state that it had reported.
func (a *app) childFailed(c actor.Context, f messages.ChildFailed) {
	switch f.Name {
	case vmChild:
		a.sentVM = nil
		return
	case hubChild:
		if a.sentEngine != nil {
			c.Request(a.Hub, a.sentEngine)
		}
		return
	}
	a.sentLink, a.view.linked = nil, false
	lost := messages.EngineChanged{State: messages.EngineDisconnected, Message: f.Err.Error()}
	a.record(engineEvents(a.view.engine, lost)...)
	a.view.engine = lost
}

// command sends the desired state to the VM actor and the engine supervisor, if it has
// changed.
func (a *app) command(c actor.Context) {
	if a.view.app == nil {
		return
	}
	if desired := desiredVM(a.view); a.sentVM == nil || *a.sentVM != desired {
		a.sentVM = &desired
		c.Request(a.VM, desired)
	}
	desired, ok := desiredLink(a.view)
	if !ok || a.sentLink != nil && *a.sentLink == desired {
		return
	}
	a.sentLink, a.view.linked, a.view.isSuspended = &desired, true, desired.suspended
	a.view.engineSeq++
	a.sentEngine = desired.command(a.view.engineSeq)
	c.Request(a.Engine, a.sentEngine)
	// A daemon that ends leaves the mirrors on a hub: their removal can take long, and the
	// next daemon corrects them.
	if a.Hub != nil && !a.view.draining {
		c.Request(a.Hub, a.sentEngine)
	}
}
