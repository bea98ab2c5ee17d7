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
	"github.com/rancher-sandbox/rancher-desktop-daemon/actors/vm"
	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/async"
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
)

// server is a running control plane.
type server interface {
	controlplane.Server
	// API returns access to what it serves.
	API() (api, error)
}

// serveFunc starts a control plane and returns when it serves.
type serveFunc func(ctx context.Context) (server, error)

// blueprint is what the tree is made from.
type blueprint struct {
	serve   serveFunc
	drivers []vm.Driver
	// namespace of the App that is made when there is none.
	namespace string
	dial      engine.Dialer
	engine    engine.Settings
	logger    *slog.Logger
	picture   *Picture
	// ready is told whether the tree has taken up its work.
	ready func(bool)
	// ended is called once, when the root is gone for good.
	ended func()
}

// rootPolicy is the guardian's: the whole tree starts anew. What does not mend
// in a few seconds, such as a datastore that cannot be read, ends the daemon,
// so that whoever started it is told why.
func rootPolicy(string) Policy {
	return Policy{
		Backoff:   async.Backoff{Min: 200 * time.Millisecond, Max: 10 * time.Second},
		Intensity: 3, Window: 2 * time.Minute,
	}
}

// childPolicy of the root: a failure of what ties the tree to the API server
// takes the whole tree with it; the others are restarted on their own.
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

// enginePolicy: a session is restarted so fast that an engine which comes back
// is found at once; the engine supervisor slows it down when that goes on for
// long. A mirror gets more time between its failures.
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

// rootProps is the root, and through it the whole tree:
//
//	root
//	├── controlplane
//	├── bridge
//	├── app
//	├── vm
//	└── engine
//	    ├── session
//	    └── container/… image/… volume/… containernamespace/…
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
			Kube: api, Subscribe: api.Subscribe, Namespace: b.namespace, VM: vmActor, Engine: engine, Logger: b.logger, Report: report,
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
			Kube: api.Mirrors(), Logger: b.logger, Report: s.Report,
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

func (b blueprint) child(name string, produce func(func(string)) actor.Actor, opts ...actor.PropsOption) *actor.Props {
	return b.picture.Props(strings.Join([]string{rootName, name}, "/"), produce, opts...)
}
