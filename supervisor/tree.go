package supervisor

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/rancher-sandbox/rancher-desktop-daemon/actors/app"
	"github.com/rancher-sandbox/rancher-desktop-daemon/actors/bridge"
	"github.com/rancher-sandbox/rancher-desktop-daemon/actors/controlplane"
	"github.com/rancher-sandbox/rancher-desktop-daemon/actors/engine"
	"github.com/rancher-sandbox/rancher-desktop-daemon/actors/mirror"
	"github.com/rancher-sandbox/rancher-desktop-daemon/actors/request"
	"github.com/rancher-sandbox/rancher-desktop-daemon/actors/vm"
	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/async"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/registryauth"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// The names of the tree.
const (
	rootName         = "root"
	controlPlaneName = "controlplane"
	bridgeName       = "bridge"
	appName          = "app"
	vmName           = "vm"
	engineName       = "engine"
	sessionName      = "session"
	requestsName     = "requests"
	hubName          = "hub"
)

// server is a running control plane.
type server interface {
	controlplane.Server
	// API returns access to what it serves.
	API() (api, error)
}

// serveFunc starts a control plane and returns when it serves.
type serveFunc func(ctx context.Context) (server, error)

// blueprint has the parts that the tree is created from.
type blueprint struct {
	serve   serveFunc
	drivers []vm.Driver
	// namespace of the mirrors in an App that is created because there is none.
	namespace string
	dial      engine.Dialer
	engine    engine.Settings
	// membership is nil for a tree without a hub actor.
	membership *membership
	// version of the program.
	version string
	logger  *slog.Logger
	picture *Picture
	// ready is called when the tree becomes ready, and when it ends.
	ready func(bool)
	// ended is called once, when the root has ended and does not restart.
	ended func()
}

// rootPolicy is the policy of the guardian: the whole tree restarts. A failure that a few
// seconds do not fix, such as a datastore that cannot be read, ends the daemon with an
// error for the user.
func rootPolicy(string) Policy {
	return Policy{
		Backoff:   async.Backoff{Min: 200 * time.Millisecond, Max: 10 * time.Second},
		Intensity: 3, Window: 2 * time.Minute,
	}
}

// childPolicy is the policy of the root. The actors that connect the tree with the API
// server restart with the whole tree; the others restart on their own.
func childPolicy(child string) Policy {
	p := Policy{
		Backoff:   async.Backoff{Min: 100 * time.Millisecond, Max: 30 * time.Second},
		Intensity: 10, Window: 5 * time.Minute,
	}
	switch child {
	case controlPlaneName, bridgeName:
		p.Intensity = 0
	case hubName:
		p.Intensity = unlimited
	}
	return p
}

// unlimited is the intensity of an actor that never takes its parent along.
const unlimited = 1 << 20

// hubPolicy is the policy of the hub actor. If its bridge fails, the hub actor starts the
// subtree again, with new informers.
func hubPolicy(child string) Policy {
	p := Policy{Backoff: async.Backoff{Min: 200 * time.Millisecond, Max: 30 * time.Second}, Intensity: unlimited, Window: 5 * time.Minute}
	if child == bridgeName {
		p.Intensity = 0
	}
	return p
}

// enginePolicy is the policy of the engine supervisor. A session restarts so fast that it
// finds a restarted engine at once; beyond the intensity limit the engine supervisor
// spaces its restarts. The restarts of a mirror are further apart.
func enginePolicy(child string) Policy {
	if child == sessionName {
		return Policy{
			Backoff:   async.Backoff{Min: 50 * time.Millisecond, Max: 500 * time.Millisecond},
			Intensity: 60, Window: 5 * time.Minute,
		}
	}
	return Policy{
		Backoff:   async.Backoff{Min: 200 * time.Millisecond, Max: 30 * time.Second},
		Intensity: 5, Window: 5 * time.Minute,
	}
}

// rootProps returns the props of the root, which spawns the whole tree:
//
//	root
//	├── controlplane
//	├── bridge
//	├── app
//	├── vm
//	├── engine
//	│   ├── session
//	│   └── container/… image/… volume/… network/… containernamespace/…
//	├── requests
//	│   └── containercreaterequest/… networkcreaterequest/… volumecreaterequest/…
//	└── hub
//	    ├── lease
//	    └── bridge, engine, requests, while the hub is followed
func (b blueprint) rootProps() *actor.Props {
	return b.picture.Props(rootName,
		func(report func(string)) actor.Actor { return newRoot(b, report) },
		actor.WithGuardian(newStrategy(b.picture, rootPolicy)),
		actor.WithSupervisor(newStrategy(b.picture, childPolicy)),
	)
}

func (b blueprint) controlPlaneProps(serving func(server) error) *actor.Props {
	return b.child(controlPlaneName, func(report func(string)) actor.Actor {
		return controlplane.New(controlplane.Config[server]{
			Serve: b.serve, Serving: serving, Logger: b.logger, Report: report,
		})
	})
}

func (b blueprint) bridgeProps(api api) *actor.Props {
	return b.child(bridgeName, func(report func(string)) actor.Actor {
		return bridge.New(bridge.Config{Informers: api, Logger: b.logger, Report: report})
	})
}

func (b blueprint) appProps(api api, vmActor, engine, hub *actor.PID) *actor.Props {
	return b.child(appName, func(report func(string)) actor.Actor {
		return app.New(app.Config{
			Kube: api, Subscribe: api.Subscribe, Namespace: b.namespace, VM: vmActor, Engine: engine, Hub: hub, Events: api.Events(), Logger: b.logger, Report: report,
			Existing: func(ctx context.Context) (messages.VMSpec, bool, error) { return vm.Existing(ctx, b.drivers) },
		})
	})
}

func (b blueprint) vmProps() *actor.Props {
	return b.child(vmName, func(report func(string)) actor.Actor {
		return vm.Producer(vm.Config{Drivers: b.drivers, Logger: b.logger, Report: report})()
	})
}

func (b blueprint) engineProps(api api) *actor.Props {
	return b.engineSupervisorProps(engineParts{
		path: []string{rootName, engineName}, ensureNamespace: api.EnsureNamespace, subscribe: api.Subscribe,
		dial: b.dial, mirrors: api.Mirrors(), events: api.Events(), logger: b.logger,
	})
}

func (b blueprint) engineSupervisorProps(parts engineParts) *actor.Props {
	newMirror := func(s engine.MirrorSpec) actor.Actor {
		return mirror.New(mirror.Config{
			Kind: s.Kind, Name: s.Name, Namespace: s.Namespace, Engine: s.Engine,
			Kube: parts.mirrors, BoundsWrites: parts.boundsWrites, Events: parts.events, OnlyRequested: parts.eventsOfRequests, Logger: parts.logger, Report: s.Report,
			IsUnshared: s.IsUnshared, IsLeaving: parts.isLeaving, Ledger: parts.ledger, Storable: parts.storable,
		})
	}
	return b.picture.Props(strings.Join(parts.path, "/"), func(report func(string)) actor.Actor {
		return engine.New(engine.Config{
			EnsureNamespace: parts.ensureNamespace, Subscribe: parts.subscribe, Dial: parts.dial, NewMirror: newMirror,
			MarkFailed: func(ctx context.Context, kind containersv1.Kind, namespace, name string, cause error) error {
				return mirror.MarkFailed(ctx, parts.mirrors, kind, namespace, name, cause)
			},
			Props: b.props, Logger: parts.logger, Report: report, Settings: b.engine,
		})
	}, actor.WithSupervisor(newStrategy(b.picture, enginePolicy)))
}

// requestsPolicy is the policy of the supervisor of the requests.
func requestsPolicy(string) Policy {
	return Policy{
		Backoff:   async.Backoff{Min: 200 * time.Millisecond, Max: 30 * time.Second},
		Intensity: 5, Window: 5 * time.Minute,
	}
}

func (b blueprint) requestsProps(api api, engine *actor.PID) *actor.Props {
	return b.requestSupervisorProps(rootName+"/"+requestsName, request.Config{
		Subscribe: api.Subscribe, EnsureNamespace: api.EnsureNamespace, Kube: api.Requests(), Engine: engine, Events: api.Events(), Logger: b.logger,
	})
}

// requestSupervisorProps completes the configuration of the supervisor of requests.
func (b blueprint) requestSupervisorProps(path string, cfg request.Config) *actor.Props {
	cfg.Credentials, cfg.Props = registryauth.Finder{}.Find, b.props
	return b.picture.Props(path, func(report func(string)) actor.Actor {
		cfg.Report = report
		return request.New(cfg)
	}, actor.WithSupervisor(newStrategy(b.picture, requestsPolicy)))
}

// props returns the props of a child under its full name.
func (b blueprint) props(name string, produce func(func(string)) actor.Actor) *actor.Props {
	return b.picture.Props(name, produce)
}

func (b blueprint) child(name string, produce func(func(string)) actor.Actor, opts ...actor.PropsOption) *actor.Props {
	return b.picture.Props(strings.Join([]string{rootName, name}, "/"), produce, opts...)
}
