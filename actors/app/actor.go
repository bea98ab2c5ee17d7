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

// vmChild is the name of the VM actor below the root.
const vmChild = "vm"

// adoptionGrace is how long the mirrors of a former daemon wait for its engine
// to be adopted.
const adoptionGrace = 15 * time.Second

// Writer is the part of the API server that the app actor needs.
type Writer interface {
	Get(ctx context.Context, obj client.Object) error
	Create(ctx context.Context, obj client.Object) error
	UpdateStatus(ctx context.Context, obj client.Object) error
}

// Config is what the app actor is made from.
type Config struct {
	Kube Writer
	// Subscribe delivers objects and their changes; see kube.Informers.
	Subscribe func(ctx context.Context, sink func(kube.Event), objects ...client.Object) error
	// Namespace of the mirrors in an App that is made because there is none;
	// empty is the API's default.
	Namespace string
	// Existing looks for a managed engine that lives already, as vm.Existing does.
	Existing func(ctx context.Context) (spec messages.VMSpec, found bool, err error)
	// VM and Engine are told what should be.
	VM, Engine *actor.PID
	Logger     *slog.Logger
	// Report shows the actor's state in the live picture of the tree.
	Report func(state string)
}

// app is the actor.
type app struct {
	Config
	tasks *task.Runner
	view  view
	// toldVM and toldLink are the last commands; nil when they must be said again.
	toldVM   *messages.EnsureVM
	toldLink *link
	// drainer waits for Drained.
	drainer *actor.PID
	// draining is the last Draining.
	draining messages.Draining
	// synced is set once the subscription has delivered the App, if there is one.
	synced bool
	// writing is set while the resource is being written; waiting while a
	// failed write waits for its next try.
	writing, waiting bool
	attempts         int
	// looks for an engine, before there is an App, that failed.
	looks int
	// lastSeenUID is the UID of the App that the subscription delivered last.
	lastSeenUID types.UID
	// removedUID is the UID of the App that was last seen to be removed. The answer
	// to an earlier write of it may come later, and is stale.
	removedUID types.UID
	// ready is set once the resource said what this incarnation knows.
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

func (delivery) toSelf()        {}
func (subscribeFailed) toSelf() {}
func (writeDone) toSelf()       {}
func (writeDue) toSelf()        {}
func (confirmDue) toSelf()      {}
func (graceOver) toSelf()       {}

// New returns an app actor.
func New(cfg Config) actor.Actor { return &app{Config: cfg} }

// Receive implements actor.Actor.
func (a *app) Receive(c actor.Context) {
	switch msg := c.Message().(type) {
	case *actor.Started:
		a.tasks = task.NewRunner(c)
		// Commands are numbered from the clock, so that an answer to a command
		// of a former incarnation is never taken for one to this.
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
		a.view.vm = msg
	case messages.EngineChanged:
		a.view.engine = msg
	case messages.ChildFailed:
		a.childFailed(msg)
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
	}
}

// drain reports how far a Drain has come.
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

// childFailed: the actor that failed starts empty. It is told again what it
// should do, and what it said is forgotten.
func (a *app) childFailed(f messages.ChildFailed) {
	if f.Name == vmChild {
		a.toldVM = nil
		return
	}
	a.toldLink, a.view.linked = nil, false
	a.view.engine = messages.EngineChanged{State: messages.EngineDisconnected, Message: f.Err.Error()}
}

// command tells the VM and the engine what should be, when that has changed.
func (a *app) command(c actor.Context) {
	if a.view.app == nil {
		return
	}
	if want := wantedVM(a.view); a.toldVM == nil || *a.toldVM != want {
		a.toldVM = &want
		c.Request(a.VM, want)
	}
	want, ok := wantedLink(a.view)
	if !ok || a.toldLink != nil && *a.toldLink == want {
		return
	}
	a.toldLink, a.view.linked = &want, true
	a.view.engineSeq++
	if want.connected {
		c.Request(a.Engine, messages.ConnectEngine{
			Seq: a.view.engineSeq, Endpoint: want.endpoint, Namespace: want.namespace,
		})
		return
	}
	c.Request(a.Engine, messages.DisconnectEngine{Seq: a.view.engineSeq})
}
