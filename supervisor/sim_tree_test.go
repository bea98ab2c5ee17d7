package supervisor

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/rancher-sandbox/rancher-desktop-daemon/actors/engine"
	"github.com/rancher-sandbox/rancher-desktop-daemon/actors/hub"
	"github.com/rancher-sandbox/rancher-desktop-daemon/actors/mirror"
	"github.com/rancher-sandbox/rancher-desktop-daemon/actors/request"
	"github.com/rancher-sandbox/rancher-desktop-daemon/actors/vm"
	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/async"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/kube"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/cluster"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/schedule"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/world"
)

// simTree is the tree of this package in the simulation.
type simTree struct {
	// dir returns the directory of this run, for what a daemon records.
	dir func() string
}

var _ world.Tree = simTree{}

// Role implements schedule.Tree. The actors of both homes have the same roles.
func (simTree) Role(actor string) string {
	if of, ok := strings.CutPrefix(actor, rootName+"/"+hubName+"/"); ok {
		return roleOf(rootName + "/" + of)
	}
	return roleOf(actor)
}

// Grace implements world.Tree.
func (simTree) Grace() time.Duration { return engine.DefaultSettings().Grace }

// Roles implements world.Tree.
func (simTree) Roles() []string {
	return []string{
		rootName, controlPlaneName, bridgeName, appName, appName, vmName, vmName, engineName, engineName,
		sessionName, sessionName, "container", "container", "image", "volume", requestsName, "containercreaterequest",
		hubName, hub.LeaseName,
	}
}

// MayFail implements world.Tree: the session reports by a panic that its connection
// broke, and the actors that need the API server that it ended.
func (simTree) MayFail(role string) bool {
	return slices.Contains([]string{sessionName, controlPlaneName, bridgeName, rootName}, role)
}

// Boot implements world.Tree.
func (s simTree) Boot(around world.Surroundings) world.Daemon {
	d := &simDaemon{picture: NewPicture(), ended: make(chan struct{})}
	d.picture.mailbox = func(name string) actor.Mailbox { return newSimMailbox(name, around.Mailbox(name), around) }
	for _, m := range around.Drivers {
		d.drivers = append(d.drivers, simDriver{m})
	}
	d.system = actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger {
		return slog.New(slog.DiscardHandler)
	}), actor.WithDeadLetterRequestLogging(false))
	d.system.EventStream.Subscribe(func(e any) {
		if _, ok := e.(*actor.DeadLetterEvent); ok {
			d.picture.deadLetter()
		}
	})
	b := blueprint{
		serve: func(ctx context.Context) (server, error) {
			s, err := around.Serve(ctx)
			if err != nil {
				return nil, err
			}
			return simServer{s}, nil
		},
		drivers: d.drivers, dial: around.Dial,
		engine: engine.DefaultSettings(), logger: around.Logger, picture: d.picture,
		ready: func(bool) {}, ended: sync.OnceFunc(func() { close(d.ended) }),
	}
	if around.Hub != nil {
		b.membership = simMembership(around.Hub, s.dir())
	}
	root, err := d.system.Root.SpawnNamed(b.rootProps(), rootName)
	if err != nil {
		panic(err)
	}
	d.root = root
	return d
}

// simDaemon is a daemon in the simulation.
type simDaemon struct {
	picture *Picture
	system  *actor.ActorSystem
	root    *actor.PID
	ended   chan struct{}
	drivers []vm.Driver
}

// Stop implements world.Daemon.
func (d *simDaemon) Stop(keepVM bool) { endTree(d.system, d.root, keepVM, d.ended) }

// Kill implements world.Daemon.
func (d *simDaemon) Kill() { d.system.Root.Stop(d.root) }

// Ended implements world.Daemon.
func (d *simDaemon) Ended() <-chan struct{} { return d.ended }

// StopEngine implements world.Daemon.
func (d *simDaemon) StopEngine(ctx context.Context) {
	_ = async.Safely(func() error { return vm.Stop(ctx, d.drivers, func(string) {}, func(appv1.DriverName, string) {}) })
}

// Close implements world.Daemon.
func (d *simDaemon) Close() (failures, deadLetters int) {
	d.system.Shutdown()
	byRole, deadLetters := d.picture.totals()
	for _, n := range byRole {
		failures += n
	}
	return failures, deadLetters
}

// State implements world.Daemon.
func (d *simDaemon) State() string { return fmt.Sprintf("%+v", d.picture.Nodes()) }

// simMailbox is a mailbox whose messages the scheduler delivers.
type simMailbox struct{ *schedule.Mailbox }

var _ actor.Mailbox = simMailbox{}

// PostUserMessage implements actor.Mailbox.
func (m simMailbox) PostUserMessage(message any) { m.Post(message) }

// PostSystemMessage implements actor.Mailbox.
func (m simMailbox) PostSystemMessage(message any) {
	switch message.(type) {
	case *actor.SuspendMailbox:
		m.PostSuspend(message)
	case *actor.ResumeMailbox:
		m.PostResume(message)
	default:
		m.PostSystem(message)
	}
}

// RegisterHandlers implements actor.Mailbox.
func (m simMailbox) RegisterHandlers(i actor.MessageInvoker, _ actor.Dispatcher) {
	m.Attach(simActor{i})
}

// Start implements actor.Mailbox.
func (m simMailbox) Start() {}

// UserMessageCount implements actor.Mailbox.
func (m simMailbox) UserMessageCount() int { return m.Len() }

// simActor is an actor to the scheduler.
type simActor struct{ invoker actor.MessageInvoker }

// Handle implements schedule.Actor.
func (a simActor) Handle(message any, system bool) {
	if system {
		a.invoker.InvokeSystemMessage(message)
		return
	}
	a.invoker.InvokeUserMessage(message)
}

// Fail implements schedule.Actor.
func (a simActor) Fail(reason, message any) { a.invoker.EscalateFailure(reason, message) }

// simServer is a simulated control plane.
type simServer struct{ *world.Server }

var _ server = simServer{}

// API implements server.
func (s simServer) API() (api, error) {
	c := s.Client()
	return simAPI{cluster.AppClient{Client: c}, cluster.NewInformers(c)}, nil
}

// simAPI is the client of a simulated API server.
type simAPI struct {
	cluster.AppClient
	*cluster.Informers
}

var _ api = simAPI{}

// Events implements api.
func (simAPI) Events() kube.Recorder { return kube.NoEvents{} }

// Mirrors implements api.
func (a simAPI) Mirrors() mirror.Writer { return cluster.MirrorClient{Client: a.Client} }

// Requests implements api.
func (a simAPI) Requests() request.Writer { return cluster.RequestClient{Client: a.Client} }
