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
	logger    *slog.Logger
	picture   *Picture
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
	if child == controlPlaneName || child == bridgeName {
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
//	└── requests
//	    └── containercreaterequest/… networkcreaterequest/… volumecreaterequest/…
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

func (b blueprint) appProps(api api, vmActor, engine *actor.PID) *actor.Props {
	return b.child(appName, func(report func(string)) actor.Actor {
		return app.New(app.Config{
			Kube: api, Subscribe: api.Subscribe, Namespace: b.namespace, VM: vmActor, Engine: engine, Events: api.Events(), Logger: b.logger, Report: report,
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
	newMirror := func(s engine.MirrorSpec) actor.Actor {
		return mirror.New(mirror.Config{
			Kind: s.Kind, Name: s.Name, Namespace: s.Namespace, Engine: s.Engine,
			Kube: api.Mirrors(), Events: api.Events(), Logger: b.logger, Report: s.Report,
			IsUnshared: s.IsUnshared,
		})
	}
	return b.child(engineName, func(report func(string)) actor.Actor {
		return engine.New(engine.Config{
			EnsureNamespace: api.EnsureNamespace, Subscribe: api.Subscribe, Dial: b.dial, NewMirror: newMirror,
			MarkFailed: func(ctx context.Context, kind containersv1.Kind, namespace, name string, cause error) error {
				return mirror.MarkFailed(ctx, api.Mirrors(), kind, namespace, name, cause)
			},
			Props: func(name string, produce func(func(string)) actor.Actor) *actor.Props {
				return b.picture.Props(name, produce)
			},
			Logger: b.logger, Report: report, Settings: b.engine,
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
	return b.child(requestsName, func(report func(string)) actor.Actor {
		return request.New(request.Config{
			Subscribe: api.Subscribe, EnsureNamespace: api.EnsureNamespace, Kube: api.Requests(), Engine: engine, Events: api.Events(),
			Credentials: registryauth.Finder{}.Find,
			Props: func(name string, produce func(func(string)) actor.Actor) *actor.Props {
				return b.picture.Props(name, produce)
			},
			Logger: b.logger, Report: report,
		})
	}, actor.WithSupervisor(newStrategy(b.picture, requestsPolicy)))
}

func (b blueprint) child(name string, produce func(func(string)) actor.Actor, opts ...actor.PropsOption) *actor.Props {
	return b.picture.Props(strings.Join([]string{rootName, name}, "/"), produce, opts...)
}
