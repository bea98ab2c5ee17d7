package supervisor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/rancher-sandbox/rancher-desktop-daemon/actors/engine"
	"github.com/rancher-sandbox/rancher-desktop-daemon/actors/vm"
	"github.com/rancher-sandbox/rancher-desktop-daemon/actors/vm/external"
	"github.com/rancher-sandbox/rancher-desktop-daemon/actors/vm/lima"
	"github.com/rancher-sandbox/rancher-desktop-daemon/actors/vm/native"
	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/controlplane"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine/docker"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/ui"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// Config is the configuration of a daemon.
type Config struct {
	Instance instance.Instance
	// Port that the API server prefers; 0 is the last one, or any.
	Port int
	// Namespace of Kubernetes for the mirrors, if there is no App yet; empty is
	// the App's default.
	Namespace string
	Logger    *slog.Logger
	// Version of the program.
	Version string
	// Doctor returns the report of 'rdd doctor' as JSON, and SupportBundle writes a bundle. The
	// page serves both. They can be nil.
	Doctor        func(ctx context.Context) ([]byte, error)
	SupportBundle func(ctx context.Context, out io.Writer) error
	// Engine has the times of the engine supervisor; zero means the default.
	Engine engine.Settings
	// Docker has the times and sizes of the watch of a Docker engine; zero means the
	// default.
	Docker docker.Settings
}

// Run serves until the API receives a shutdown, or until ctx ends, which stops the
// engine too. It returns when everything has ended.
func Run(ctx context.Context, cfg Config) error { return newDaemon(cfg).run(ctx) }

func (d *daemon) run(ctx context.Context) error {
	defer d.startPage(ctx)()
	return d.runTree(ctx, d.blueprint())
}

func (d *daemon) runTree(ctx context.Context, b blueprint) error {
	system := actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger {
		return slog.New(quiet{d.Logger.Handler()}).With("lib", "protoactor")
	}), actor.WithDeadLetterRequestLogging(false))
	defer system.Shutdown()
	d.system = system // before the tree starts the API server, whose handlers use it
	system.EventStream.Subscribe(func(e any) {
		if _, ok := e.(*actor.DeadLetterEvent); ok {
			d.picture.deadLetter()
		}
	})
	root, err := system.Root.SpawnNamed(b.rootProps(), rootName)
	if err != nil {
		return fmt.Errorf("spawn the root of the tree: %w", err)
	}
	select {
	case keep := <-d.shutdown:
		d.keepVM = keep
	case <-ctx.Done():
	case <-d.ended:
		return d.unexpectedEnd()
	}
	d.Logger.Info("stopping", "keepVM", d.keepVM)
	endTree(system, root, d.keepVM, d.ended)
	return d.stopLeftover(context.WithoutCancel(ctx))
}

// shutdownInterval is the pause between two Shutdown messages.
const shutdownInterval = 5 * time.Second

// endTree sends Shutdown until the tree has ended: a root that fails meanwhile restarts
// without it.
func endTree(system *actor.ActorSystem, root *actor.PID, keepVM bool, ended <-chan struct{}) {
	again := time.NewTicker(shutdownInterval)
	defer again.Stop()
	for {
		system.Root.Send(root, messages.Shutdown{KeepVM: keepVM})
		select {
		case <-ended:
			return
		case <-again.C:
		}
	}
}

// daemon has what the tree shares with its HTTP handlers and with Run.
type daemon struct {
	Config
	picture  *Picture
	drivers  []vm.Driver
	isReady  atomic.Bool
	shutdown chan bool // whether to keep the VM
	system   *actor.ActorSystem
	ended    chan struct{}
	keepVM   bool
	settings engine.Settings
	// page is nil if it could not be started; pageErr says why. Both are set before the tree
	// starts.
	page    *ui.Server
	pageErr error
	// plane is the running control plane; nil before the first one.
	plane atomic.Pointer[controlplane.Server]
	// mirrorNamespace is the namespace of the mirrors, which does not change; nil until it
	// was read.
	mirrorNamespace atomic.Pointer[string]
}

func newDaemon(cfg Config) *daemon {
	return &daemon{
		Config: cfg, picture: NewPicture(), drivers: drivers(cfg.Instance, cfg.Logger),
		shutdown: make(chan bool, 1), ended: make(chan struct{}),
		settings: withDefaults(cfg.Engine),
	}
}

func (d *daemon) blueprint() blueprint {
	return blueprint{
		serve: d.serve, drivers: d.drivers, namespace: d.Namespace, dial: docker.Dialer(d.Docker, d.Logger),
		engine: d.settings, membership: membershipOf(d.Instance), version: d.Version, logger: d.Logger, picture: d.picture,
		ready: d.isReady.Store,
		ended: sync.OnceFunc(func() { close(d.ended) }),
	}
}

func (d *daemon) serve(ctx context.Context) (server, error) {
	s, err := controlplane.Start(ctx, controlplane.Options{
		DataDir: d.Instance.DataDir, TLSDir: d.Instance.TLSDir, Kubeconfig: d.Instance.Config,
		Port: d.Port, ContextName: "rdd-" + d.Instance.Name, Logger: d.Logger, Engine: d.openEngine,
		Handlers: d.handlers(), Rotated: d.endSessions, Collectors: []prometheus.Collector{metrics{d.picture}},
	})
	if err != nil {
		return nil, err
	}
	d.plane.Store(s)
	return embedded{s}, nil
}

// unexpectedEnd returns the error of a tree that ended without a shutdown.
func (d *daemon) unexpectedEnd() error {
	if cause := d.picture.lastError(); permanent(cause) {
		return fmt.Errorf("%w; the engine keeps running", cause)
	}
	if failure := d.picture.lastFailure(); failure != "" {
		return fmt.Errorf("the actor tree failed too often, last: %s; the engine keeps running", failure)
	}
	return errors.New("the actor tree ended unexpectedly; the engine keeps running")
}

// stopLeftover stops an engine that the tree did not stop, because the tree failed or had
// not started completely.
func (d *daemon) stopLeftover(ctx context.Context) error {
	if d.keepVM {
		return nil
	}
	return stop(ctx, d.drivers, func(text string) { d.Logger.Info("stopping the engine", "waitsFor", text) }, d.Logger)
}

// StopEngine stops an engine that runs without a daemon. Progress receives what it waits
// for.
func StopEngine(ctx context.Context, inst instance.Instance, progress func(string), log *slog.Logger) error {
	return stop(ctx, drivers(inst, log), progress, log)
}

// FoundEngine is an engine that runs, whether or not a daemon does.
type FoundEngine struct {
	Driver appv1.DriverName
	Engine appv1.EngineName
	// Detail describes the engine for users, such as "dockerd, pid 123".
	Detail string
}

// FindEngine finds the engine of an instance without its daemon; ok is false if none runs.
func FindEngine(ctx context.Context, inst instance.Instance) (found FoundEngine, ok bool, err error) {
	observed, driver, err := vm.Find(ctx, drivers(inst, slog.New(slog.DiscardHandler)))
	if err != nil || observed.Presence == vm.Absent {
		return FoundEngine{}, false, err
	}
	return FoundEngine{Driver: driver, Engine: observed.Spec.Engine, Detail: observed.Detail}, true, nil
}

func stop(ctx context.Context, drivers []vm.Driver, progress func(string), log *slog.Logger) error {
	return vm.Stop(ctx, drivers, progress, func(name appv1.DriverName, note string) {
		log.Warn("the engine was stopped", "driver", name, "note", note)
	})
}

// DeleteEngine stops an engine that runs without a daemon, and removes everything that the
// drivers have created.
func DeleteEngine(ctx context.Context, inst instance.Instance, log *slog.Logger) error {
	return vm.Delete(ctx, drivers(inst, log))
}

// drivers returns the drivers in the order in which vm.driver=auto tries them when no
// driver has containers of this instance. A managed engine is first, because it cannot
// change the objects of another one.
func drivers(inst instance.Instance, log *slog.Logger) []vm.Driver {
	return vm.Serial([]vm.Driver{
		native.New(native.Config{
			Dir: inst.DataDir, ShortDir: inst.ShortDir, Socket: inst.DockerSocket,
			LogDir: inst.LogDir, InstanceName: inst.Name, Logger: log,
		}),
		lima.New(lima.Config{Home: inst.LimaHome, LogDir: inst.LogDir, Socket: inst.DockerSocket, Logger: log}),
		external.New("unix://" + inst.DockerSocket),
	})
}
