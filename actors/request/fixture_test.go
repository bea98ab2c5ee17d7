package request

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/record"
	"sigs.k8s.io/controller-runtime/pkg/client"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine/memory"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/kube"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/testkit"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

const home = "home"

// fault ends the daemon at one of its calls.
type fault struct {
	counting sync.Mutex
	calls    int
	// at is the number of the call, counted from 1; 0 for none.
	at int
	// atCreate: it is the first creation of a volume.
	atCreate bool
	// after: the call has its effect, and its answer is lost.
	after bool
	// hit is closed when the call is made.
	hit chan struct{}
}

// made returns how many calls were made.
func (f *fault) made() int {
	f.counting.Lock()
	defer f.counting.Unlock()
	return f.calls
}

// call makes a call of the daemon. The call at which the daemon ends never returns
// before ctx ends.
func (f *fault) call(ctx context.Context, effect func() error) error {
	return f.callOf(ctx, false, effect)
}

// callOf makes a call, which may be the creation of a volume.
func (f *fault) callOf(ctx context.Context, isCreate bool, effect func() error) error {
	f.counting.Lock()
	f.calls++
	isHit := f.calls == f.at || isCreate && f.atCreate
	f.atCreate = f.atCreate && !isHit
	f.counting.Unlock()
	if !isHit {
		return effect()
	}
	if f.after {
		_ = effect()
	}
	close(f.hit)
	<-ctx.Done()
	return ctx.Err()
}

// world has what outlives a daemon: the API server and the engine.
type world struct {
	t      *testing.T
	engine *memory.Engine
	// starts counts the starts of containers.
	starts int
	// startErr is the answer to the next start; nil for that of the engine.
	startErr error
	// connected is whether an engine is connected.
	connected atomic.Bool
	// signedIn are the user's credentials, and signInErr is why there are none.
	signedIn  engine.Credentials
	signInErr error
	// refusal is why requests are not carried out; empty if they are.
	refusal string
	// pulls counts the pulls that have ended, statusWrites the writes of a status.
	pulls, statusWrites int

	// events are those of the requests.
	events *record.FakeRecorder

	mu       sync.Mutex
	version  int
	requests map[string]containersv1.Request
	sink     func(kube.Event)
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, engine: memory.New("test"), requests: map[string]containersv1.Request{}, events: record.NewFakeRecorder(100)}
	w.connected.Store(true)
	w.engine.AddImage("app:1")
	return w
}

func (w *world) deliver(e kube.Event) {
	if w.sink != nil {
		w.sink(e)
	}
}

// put stores a request.
func (w *world) put(r containersv1.Request) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.version++
	r = stored(w.t, r)
	r.SetResourceVersion(strconv.Itoa(w.version))
	if r.GetUID() == "" {
		r.SetUID(types.UID("0123456789-" + r.GetName() + strconv.Itoa(w.version)))
		r.SetCreationTimestamp(metav1.Now())
	}
	w.requests[specOf(r).path()] = r
	w.deliver(kube.Changed{Object: r})
}

// stored returns a request as it is after a round trip through the API server.
func stored(t *testing.T, r containersv1.Request) containersv1.Request {
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	out := containersv1.NewRequest(r.RequestKind())
	if err := json.Unmarshal(text, out); err != nil {
		t.Fatal(err)
	}
	return out
}

// remove deletes a request.
func (w *world) remove(r containersv1.Request) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.requests, specOf(r).path())
	w.deliver(kube.Removed{Object: r})
}

// get returns a request as it is stored; nil if it is gone.
func (w *world) get(r containersv1.Request) containersv1.Request {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.requests[specOf(r).path()]
}

// daemon is one run of the actors.
type daemon struct {
	*world
	*fault
	system *actor.ActorSystem
	root   *actor.PID
}

// start starts a daemon that ends at a call.
func (w *world) start(f *fault) *daemon {
	d := &daemon{world: w, fault: f}
	quiet := slog.New(slog.DiscardHandler)
	d.system = actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return quiet }))
	engines := d.system.Root.Spawn(actor.PropsFromFunc(func(c actor.Context) {
		if _, ok := c.Message().(messages.OpenEngine); !ok {
			return
		}
		answer := messages.EngineOpened{Err: errors.New("no engine is connected: run 'rdd start'")}
		if w.connected.Load() {
			answer = messages.EngineOpened{Engine: faultyEngine{d, w.engine.Dial()}, Namespace: home}
		}
		c.Respond(answer)
	}))
	d.root = d.system.Root.Spawn(actor.PropsFromProducer(func() actor.Actor {
		return New(Config{
			EnsureNamespace: func(context.Context, string) error { return nil },
			Subscribe:       d.subscribe, Kube: faultyWriter{d}, Engine: engines, Logger: quiet, Report: func(string) {},
			Credentials: w.credentials, Events: w.events, Refusal: w.refusal,
			Props: func(_ string, produce func(func(string)) actor.Actor) *actor.Props {
				return actor.PropsFromProducer(func() actor.Actor { return produce(func(string) {}) })
			},
		})
	}))
	synctest.Wait()
	return d
}

func (d *daemon) stop() {
	d.mu.Lock()
	d.sink = nil
	d.mu.Unlock()
	if err := d.system.Root.StopFuture(d.root).Wait(); err != nil {
		d.t.Error(err)
	}
	d.system.Shutdown()
	synctest.Wait()
}

func (d *daemon) subscribe(_ context.Context, sink func(kube.Event), _ ...client.Object) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.sink = sink
	for _, r := range d.requests {
		sink(kube.Changed{Object: r})
	}
	sink(kube.Synced{})
	return nil
}

// engineConnects has the App report that an engine was connected.
func (d *daemon) engineConnects() {
	d.connected.Store(true)
	app := &appv1.App{}
	app.Status.Conditions = []metav1.Condition{{Type: appv1.ConditionEngineReady, Status: metav1.ConditionTrue}}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.deliver(kube.Changed{Object: app})
}

// faultyWriter is the API server of a daemon.
type faultyWriter struct{ *daemon }

func (w faultyWriter) stored(obj client.Object) (containersv1.Request, error) {
	path := specOf(obj.(containersv1.Request)).path()
	w.mu.Lock()
	defer w.mu.Unlock()
	r := w.requests[path]
	if r == nil {
		return nil, apierrors.NewNotFound(schema.GroupResource{Resource: "requests"}, obj.GetName())
	}
	return r, nil
}

func (w faultyWriter) Get(ctx context.Context, obj client.Object) error {
	return w.call(ctx, func() error {
		r, err := w.stored(obj)
		if err != nil {
			return err
		}
		testkit.Assign(obj, r)
		return nil
	})
}

func (w faultyWriter) UpdateStatus(ctx context.Context, obj client.Object) error {
	return w.call(ctx, func() error {
		r, err := w.stored(obj)
		if err != nil {
			return err
		}
		if r.GetResourceVersion() != obj.GetResourceVersion() {
			return apierrors.NewConflict(schema.GroupResource{Resource: "requests"}, obj.GetName(), errors.New("modified"))
		}
		w.statusWrites++
		w.put(obj.(containersv1.Request))
		r, err = w.stored(obj)
		testkit.Assign(obj, r)
		return err
	})
}

func (w faultyWriter) Delete(ctx context.Context, obj client.Object) error {
	return w.call(ctx, func() error {
		r, err := w.stored(obj)
		if err != nil {
			return err
		}
		w.remove(r)
		return nil
	})
}

// faultyEngine is the engine of a daemon.
type faultyEngine struct {
	*daemon
	engine.Engine
}

func (e faultyEngine) Get(ctx context.Context, key engine.Key) (found containersv1.Mirror, err error) {
	err = e.call(ctx, func() error {
		found, err = e.Engine.Get(ctx, key)
		return err
	})
	return found, err
}

func (e faultyEngine) Do(ctx context.Context, key engine.Key, verb engine.Verb) error {
	return e.call(ctx, func() error {
		if err := e.startErr; verb == engine.VerbStart && err != nil {
			e.startErr = nil
			return err
		}
		before := e.world.engine.ContainerStatus(key.ID)
		err := e.Engine.Do(ctx, key, verb)
		if before != "running" && e.world.engine.ContainerStatus(key.ID) == "running" {
			e.starts++
		}
		return err
	})
}

func (e faultyEngine) Discard(ctx context.Context, key engine.Key) error {
	return e.call(ctx, func() error { return e.Engine.Discard(ctx, key) })
}

func (e faultyEngine) CreateContainer(ctx context.Context, spec containersv1.ContainerCreateRequestSpec, uid types.UID) (key engine.Key, err error) {
	err = e.call(ctx, func() error {
		key, err = e.Engine.CreateContainer(ctx, spec, uid)
		return err
	})
	return key, err
}

func (e faultyEngine) CreateVolume(ctx context.Context, spec containersv1.VolumeCreateRequestSpec, uid types.UID) (key engine.Key, err error) {
	err = e.callOf(ctx, true, func() error {
		key, err = e.Engine.CreateVolume(ctx, spec, uid)
		return err
	})
	return key, err
}

func (e faultyEngine) CreateNetwork(ctx context.Context, spec containersv1.NetworkCreateRequestSpec, uid types.UID) (key engine.Key, err error) {
	err = e.call(ctx, func() error {
		key, err = e.Engine.CreateNetwork(ctx, spec, uid)
		return err
	})
	return key, err
}

// settle waits until the daemon has nothing to do for now, or has ended at its call.
func (d *daemon) settle() (ended bool) {
	time.Sleep(2 * time.Second)
	synctest.Wait()
	select {
	case <-d.hit:
		return true
	default:
		return false
	}
}
