package supervisor

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	actorengine "github.com/rancher-sandbox/rancher-desktop-daemon/actors/engine"
	"github.com/rancher-sandbox/rancher-desktop-daemon/actors/mirror"
	"github.com/rancher-sandbox/rancher-desktop-daemon/actors/vm"
	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/async"
	containerengine "github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine/docker"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/cluster"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/engine"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/fate"
)

// world is everything around the actor tree, and the tree.
type world struct {
	seed      uint64
	fates     *fate.Fates
	trace     *trace
	scheduler *scheduler
	logger    *slog.Logger

	cluster  *cluster.Cluster
	api      *fate.Link
	machines []*machine

	mu sync.Mutex
	// watch, events and serve are what goes wrong besides calls.
	watch     cluster.WatchRates
	events    engine.EventRates
	serveFail float64
	server    *simServer
	violated  []string
	deletes   []deletion
	// disturbed is when the engine may have been lost the last time.
	disturbed time.Time
	// boots, deaths and so on count what happened.
	counts map[string]int
	// failures of actors and dead letters, over all daemons.
	failures, deadLetters int

	laws *laws
	// gentle is set when no call and no event is lost, late or slow.
	gentle bool
	// calmed is closed when nothing goes wrong any more.
	calmed chan struct{}

	orders chan order
	ended  chan struct{}
}

// order tells the daemon to end.
type order struct {
	kill, keepVM, forGood bool
	done                  chan struct{}
}

func newWorld(seed uint64, t *trace) *world {
	f := fate.New(seed)
	w := &world{
		seed: seed, fates: f, trace: t, scheduler: newScheduler(f, t), logger: slog.New(slog.DiscardHandler),
		cluster: cluster.New(), api: cluster.NewLink(f), counts: map[string]int{},
		orders: make(chan order), ended: make(chan struct{}), calmed: make(chan struct{}),
	}
	w.laws = newLaws(w)
	w.scheduler.laws = w.laws
	w.cluster.Witness(w.laws.wrote)
	if t.print != nil {
		w.logger = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	for _, name := range []appv1.DriverName{appv1.DriverNative, appv1.DriverLima, appv1.DriverExternal} {
		m := newMachine(f, name)
		m.model.SetClockOffset(f.Draw("clock "+string(name)).Between(-time.Hour, time.Hour))
		w.machines = append(w.machines, m)
	}
	return w
}

func (w *world) with(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f()
}

// violate notes that a law was broken.
func (w *world) violate(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	w.trace.note("VIOLATION", text)
	w.with(func() { w.violated = append(w.violated, text) })
}

func (w *world) count(what string) { w.with(func() { w.counts[what]++ }) }

func (w *world) machine(name appv1.DriverName) *machine {
	for _, m := range w.machines {
		if m.name == name {
			return m
		}
	}
	return nil
}

// daemon is one life of the daemon.
type simDaemon struct {
	process *fate.Process
	picture *Picture
	system  *actor.ActorSystem
	root    *actor.PID
	ended   chan struct{}
	drivers []vm.Driver
}

func (w *world) boot() *simDaemon {
	w.count("boots")
	w.laws.booted()
	d := &simDaemon{process: fate.NewProcess(), picture: NewPicture(), ended: make(chan struct{})}
	d.picture.mailbox = w.scheduler.mailbox
	for _, m := range w.machines {
		d.drivers = append(d.drivers, driver{m, d.process})
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
		serve:   func(ctx context.Context) (server, error) { return w.serve(ctx, d.process) },
		drivers: d.drivers, dial: w.dialer(d.process),
		engine: actorengine.DefaultSettings(), logger: w.logger, picture: d.picture,
		ready: func(bool) {}, ended: sync.OnceFunc(func() { close(d.ended) }),
	}
	root, err := d.system.Root.SpawnNamed(b.rootProps(), rootName)
	if err != nil {
		panic(err)
	}
	d.root = root
	return d
}

// dialer returns the way of a process to the engines of the machines.
func (w *world) dialer(p *fate.Process) actorengine.Dialer {
	settings := settingsOf(w.fates)
	return func(endpoint string) (containerengine.Engine, error) {
		api, err := w.dial(endpoint, p)
		if err != nil {
			return nil, err
		}
		return docker.New(api, settings, w.logger), nil
	}
}

func (w *world) dial(endpoint string, p *fate.Process) (docker.API, error) {
	for _, m := range w.machines {
		if m.endpoint() == endpoint {
			w.laws.with(func() { w.laws.dialed = m })
			return engine.NewClient(m.model, w.fates, m.link, p, w.eventRates, judge{w, m}), nil
		}
	}
	return nil, fmt.Errorf("simulated: no such endpoint: %q", endpoint)
}

func (w *world) eventRates() (r engine.EventRates) {
	w.with(func() { r = w.events })
	return r
}

func (w *world) watchRates() (r cluster.WatchRates) {
	w.with(func() { r = w.watch })
	return r
}

// live starts daemons, one after another, until it is ordered to end for good.
func (w *world) live() {
	defer close(w.ended)
	for {
		d := w.boot()
		select {
		case o := <-w.orders:
			w.end(d, o)
			if o.done != nil {
				close(o.done)
			}
			if o.forGood {
				return
			}
		case <-d.ended:
			w.count("gave up")
			d.process.Kill()
			w.gone(d)
		}
		pause := w.fates.Draw("pause")
		if pause.Chance(0.3) {
			w.forge(pause)
		}
		w.fates.Pass(pause.Between(10*time.Millisecond, 5*time.Second))
	}
}

// order waits until the order was carried out.
func (w *world) order(o order) {
	o.done = make(chan struct{})
	w.orders <- o
	<-o.done
}

// endWithin is the longest that an orderly end may take.
const endWithin = 3 * time.Minute

func (w *world) end(d *simDaemon, o order) {
	w.trace.note("world", fmt.Sprintf("end the daemon, kill %t keep %t", o.kill, o.keepVM))
	if o.kill {
		w.count("kills")
		d.process.Kill()
		w.with(func() { w.server = nil })
		d.system.Root.Stop(d.root)
	} else {
		w.count("ends")
		go endTree(d.system, d.root, o.keepVM, d.ended)
	}
	late := time.NewTimer(endWithin)
	defer late.Stop()
	select {
	case <-d.ended:
	case <-late.C:
		w.violate("the daemon did not end within %s: %+v", endWithin, d.picture.Nodes())
		d.process.Kill()
		d.system.Root.Stop(d.root)
		<-d.ended
	}
	if !o.kill && !o.keepVM {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		_ = async.Safely(func() error { return vm.Stop(ctx, d.drivers, func(string) {}, func(appv1.DriverName, string) {}) })
		cancel()
	}
	w.gone(d)
}

// gone counts what a daemon leaves behind.
func (w *world) gone(d *simDaemon) {
	d.process.Kill()
	d.system.Shutdown()
	failures, dead := d.picture.totals()
	w.with(func() {
		w.server = nil
		w.deadLetters += dead
		for _, n := range failures {
			w.failures += n
		}
	})
}

// simServer is a control plane.
type simServer struct {
	world   *world
	process *fate.Process
	done    chan struct{}
	once    sync.Once
}

var _ server = (*simServer)(nil)

func (w *world) serve(ctx context.Context, p *fate.Process) (server, error) {
	dice := w.fates.Draw("serve")
	bound, cancel := p.Bind(ctx)
	defer cancel()
	if err := w.fates.Wait(bound, dice.Between(50*time.Millisecond, 2*time.Second)); err != nil {
		return nil, err
	}
	s := &simServer{world: w, process: p, done: make(chan struct{})}
	var fails, two bool
	w.with(func() {
		if fails = dice.Chance(w.serveFail); !fails {
			two, w.server = w.server != nil, s
		}
	})
	if fails {
		return nil, errors.New("simulated: the datastore cannot be opened")
	}
	if two {
		w.violate("two control planes on one datastore")
	}
	return s, nil
}

// crash ends the server by itself.
func (s *simServer) crash() { s.once.Do(func() { close(s.done) }) }

func (s *simServer) API() (api, error) {
	c := cluster.NewClient(s.world.cluster, s.world.fates, s.world.api, s.process, s.world.watchRates)
	return simAPI{cluster.AppClient{Client: c}, cluster.NewInformers(c), c}, nil
}

func (s *simServer) Done() <-chan struct{} { return s.done }
func (s *simServer) Err() error            { return nil }

func (s *simServer) Stop(context.Context) error {
	if !s.process.Dead() {
		s.world.fates.Pass(5 * time.Millisecond)
	}
	s.crash()
	s.world.with(func() {
		if s.world.server == s {
			s.world.server = nil
		}
	})
	return nil
}

// simAPI is the way to the simulated API server.
type simAPI struct {
	cluster.AppClient
	*cluster.Informers
	client *cluster.Client
}

var _ api = simAPI{}

func (a simAPI) Mirrors() mirror.Writer { return cluster.MirrorClient{Client: a.client} }
