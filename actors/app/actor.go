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
	// engineStopping is what the last Draining said.
	engineStopping bool
	// heard is set once the bridge has told of the App, or that there is none.
	heard bool
	// writing is set while the resource is being written; waiting while a
	// failed write waits for its next try.
	writing, waiting bool
	attempts         int
	// looks for an engine, before there is an App, that failed.
	looks int
	// heardOf is the App that the bridge last told of.
	heardOf types.UID
	// removed is the App that the bridge last told to be gone: the answer to a write
	// may come in later, and must not bring it back.
	removed types.UID
	// ready is set once the resource said what this incarnation knows.
	ready bool
}

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
	case *actor.Stopping, *actor.Restarting:
		a.tasks.Stop()
		return
	case *actor.Stopped:
		return
	case messages.AppChanged:
		a.heard, a.heardOf = true, msg.App.UID
		a.appChanged(msg.App)
	case messages.AppRemoved:
		a.heard = true
		a.appRemoved()
	case messages.VMChanged:
		a.view.vm = msg
	case messages.EngineChanged:
		a.view.engine = msg
	case messages.ChildFailed:
		// The actor that failed starts empty: say again what it should do.
		a.childFailed(msg)
	case messages.Drain:
		a.view.draining, a.drainer, a.engineStopping = true, c.Sender(), false
	case task.Done:
		a.written(msg)
	default:
		a.Logger.Error("app got a message it does not know", "message", msg)
		return
	}
	a.command(c)
	if a.write() && !a.ready {
		a.ready = true
		c.Send(c.Parent(), messages.AppReady{})
	}
	a.drain(c)
}

// drain sends what a Drain has come to.
func (a *app) drain(c actor.Context) {
	if a.drainer == nil {
		return
	}
	if stopping := a.view.vm.State == messages.VMStopping; stopping != a.engineStopping {
		a.engineStopping = stopping
		c.Send(a.drainer, messages.Draining{EngineStopping: stopping})
	}
	if a.heard && (a.view.app == nil || a.view.drained()) {
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

// appChanged takes a newer App.
func (a *app) appChanged(app *appv1.App) {
	if app.UID != "" && app.UID == a.removed {
		return
	}
	if old := a.view.app; old != nil && old.UID == app.UID && olderThan(app, old) {
		return
	}
	a.view.app = app
}

// appRemoved takes up that there is no App any more.
func (a *app) appRemoved() { a.removed, a.view.app = a.heardOf, nil }

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
