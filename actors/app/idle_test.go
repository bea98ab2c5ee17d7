package app

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/kube"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// unused returns a view of a VM that nothing uses since base.
func unused(base time.Time) view {
	v := settled(true)
	v.app.Spec.VM.IdleStop, v.vm.Driver, v.use.last = "10m", appv1.DriverLima, base
	return v
}

// The time since the last use decides, and nothing may be in use.
func TestIdleAt(t *testing.T) {
	base := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for name, tc := range map[string]struct {
		change func(*view)
		// after base; 0 for never
		after time.Duration
	}{
		"nothing uses it":                 {func(*view) {}, 10 * time.Minute},
		"off":                             {func(v *view) { v.app.Spec.VM.IdleStop = "" }, 0},
		"off with 0":                      {func(v *view) { v.app.Spec.VM.IdleStop = "0" }, 0},
		"not desired":                     {func(v *view) { v.app.Spec.Running = false }, 0},
		"the daemon ends":                 {func(v *view) { v.draining = true }, 0},
		"no VM":                           {func(v *view) { v.vm.Driver = appv1.DriverNative }, 0},
		"containerd":                      {func(v *view) { v.app.Spec.ContainerEngine.Name = appv1.EngineContainerd }, 0},
		"the VM starts":                   {func(v *view) { v.vm.State = messages.VMStarting }, 0},
		"the VM hangs":                    {func(v *view) { v.vm.State, v.vm.Silent = messages.VMFailed, true }, 0},
		"a change is not applied":         {func(v *view) { v.vm.Current = false }, 0},
		"a change is new":                 {func(v *view) { v.vm.Generation-- }, 0},
		"the engine is not synced":        {func(v *view) { v.engine.State = messages.EngineSyncing }, 0},
		"an object is not mirrored":       {func(v *view) { v.engine.Message = "1 object could not be mirrored" }, 0},
		"a container runs":                {func(v *view) { v.engine.InUse = true }, 0},
		"a request waits":                 {func(v *view) { v.use.requests = map[types.UID]struct{}{"1": {}} }, 0},
		"a client was connected":          {func(v *view) { v.vm.Used = base.Add(time.Minute) }, 11 * time.Minute},
		"a log was read":                  {func(v *view) { v.engine.Used = base.Add(2 * time.Minute) }, 12 * time.Minute},
		"idle":                            {idle, 10 * time.Minute},
		"idle, a client connects":         {func(v *view) { idle(v); v.vm.Used = base.Add(time.Hour) }, 70 * time.Minute},
		"idle, a request comes":           {func(v *view) { idle(v); v.use.requests = map[types.UID]struct{}{"1": {}} }, 0},
		"idle, a user starts a container": {func(v *view) { idle(v); v.engine.InUse = true }, 0},
		"idle, switched off":              {func(v *view) { idle(v); v.app.Spec.VM.IdleStop = "" }, 0},
	} {
		v := unused(base)
		tc.change(&v)
		at, _, ok := idleAt(v)
		if ok != (tc.after > 0) || ok && !at.Equal(base.Add(tc.after)) {
			t.Errorf("%s: %v, %v, want %v", name, ok, at.Sub(base), tc.after)
		}
	}
}

// idle changes a view to that of an idle VM.
func idle(v *view) {
	v.use.idle, v.use.message = true, idleMessage(v.use.last)
	v.vm = messages.VMChanged{Generation: generation, State: messages.VMStopped}
	v.engine.State = messages.EngineSuspended
}

func TestIdleConditions(t *testing.T) {
	v := unused(time.Now())
	want := func(running, ready, settled string) {
		t.Helper()
		got := conditions(v)
		for typ, reason := range map[string]string{
			appv1.ConditionRunning: running, appv1.ConditionEngineReady: ready, appv1.ConditionSettled: settled,
		} {
			if c := meta.FindStatusCondition(got, typ); c.Reason != reason || reason == appv1.ReasonIdle && c.Message != v.use.message {
				t.Errorf("%s is %s (%s), want %s", typ, c.Reason, c.Message, reason)
			}
		}
	}
	v.use.idle, v.use.message = true, idleMessage(v.use.last)
	want("Started", "Connected", "Settled") // until it is known that no client uses it
	v.vm.Desired = false
	want("Started", "Connected", "Settled")
	v.vm.State = messages.VMStopping
	want("Stopping", "Connected", "Stopping")
	suspend := messages.SuspendEngine{Seq: 1, Driver: appv1.DriverLima} // the driver is for a hub
	if l, ok := desiredLink(v); !ok || l.command(1) != messages.EngineCommand(suspend) {
		t.Errorf("link %+v, %v, want the mirrors to stay", l, ok)
	}
	idle(&v)
	want("Idle", "Idle", "Settled")
	// It is used again: the mirrors stay until the VM runs.
	v.use.idle, v.isSuspended = false, true
	for _, state := range []messages.VMState{messages.VMStopped, messages.VMStopping, messages.VMStarting, messages.VMFailed} {
		v.vm.State, v.vm.Desired = state, true
		if l, ok := desiredLink(v); ok {
			t.Errorf("%s: link %+v, want none", state, l)
		}
	}
	v.vm.State, v.vm.Desired, v.vm.Current, v.vm.Endpoint = messages.VMRunning, true, true, "unix:///docker.sock"
	if l, ok := desiredLink(v); !ok || !l.connected {
		t.Errorf("link %+v, %v, want the engine", l, ok)
	}
}

// fakeKube stores the App, and delivers what a test sends.
type fakeKube struct {
	mu   sync.Mutex
	app  *appv1.App
	sink func(kube.Event)
}

func (f *fakeKube) Get(context.Context, client.Object) error    { return nil }
func (f *fakeKube) Create(context.Context, client.Object) error { return nil }

func (f *fakeKube) UpdateStatus(_ context.Context, obj client.Object) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.app = obj.(*appv1.App).DeepCopy()
	return nil
}

func (f *fakeKube) stored() *appv1.App {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.app.DeepCopy()
}

func (f *fakeKube) reason() string {
	c := meta.FindStatusCondition(f.stored().Status.Conditions, appv1.ConditionRunning)
	if c == nil {
		return ""
	}
	return c.Reason
}

// inIdleWorld runs a test with an app actor, and a VM and an engine that do what it
// commands.
func inIdleWorld(t *testing.T, test func(t *testing.T, k *fakeKube, restart func(), send func(any))) {
	synctest.Test(t, func(t *testing.T) {
		system := actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger {
			return slog.New(slog.DiscardHandler)
		}))
		vm := system.Root.Spawn(actor.PropsFromFunc(func(c actor.Context) {
			if m, ok := c.Message().(messages.EnsureVM); ok {
				now := messages.VMChanged{Generation: m.Generation, Desired: m.Running, State: messages.VMStopped}
				if m.Running {
					now.State, now.Current, now.Driver, now.Endpoint = messages.VMRunning, true, appv1.DriverLima, "unix:///docker.sock"
				}
				c.Respond(now)
			}
		}))
		engine := system.Root.Spawn(actor.PropsFromFunc(func(c actor.Context) {
			switch m := c.Message().(type) {
			case messages.ConnectEngine:
				c.Respond(messages.EngineChanged{Seq: m.Seq, State: messages.EngineReady})
			case messages.SuspendEngine:
				c.Respond(messages.EngineChanged{Seq: m.Seq, State: messages.EngineSuspended})
			case messages.DisconnectEngine:
				t.Error("the mirrors are removed")
			}
		}))
		k := &fakeKube{app: unused(time.Time{}).app}
		var root, pid *actor.PID
		stop := func() { _ = system.Root.StopFuture(root).Wait() }
		start := func() {
			spawned := make(chan *actor.PID, 1)
			props := actor.PropsFromProducer(func() actor.Actor {
				return New(Config{
					Kube: k, VM: vm, Engine: engine, Logger: slog.New(slog.DiscardHandler), Report: func(string) {},
					Subscribe: func(_ context.Context, sink func(kube.Event), _ ...client.Object) error {
						k.sink = sink
						sink(kube.Changed{Object: k.stored()})
						sink(kube.Synced{})
						return nil
					},
				})
			})
			root = system.Root.Spawn(actor.PropsFromFunc(func(c actor.Context) {
				if _, ok := c.Message().(*actor.Started); ok {
					spawned <- c.Spawn(props)
				}
			}))
			pid = <-spawned
			synctest.Wait()
		}
		start()
		test(t, k, func() { stop(); start() }, func(m any) { system.Root.Send(pid, m); synctest.Wait() })
		stop()
		_, _ = system.Root.StopFuture(vm).Wait(), system.Root.StopFuture(engine).Wait()
		system.Shutdown()
		synctest.Wait()
	})
}

func TestIdleStopAfterTime(t *testing.T) {
	inIdleWorld(t, func(t *testing.T, k *fakeKube, restart func(), send func(any)) {
		want := func(after time.Duration, reason string) {
			t.Helper()
			time.Sleep(after)
			synctest.Wait()
			if got := k.reason(); got != reason {
				t.Fatalf("Running is %s, want %s", got, reason)
			}
		}
		want(9*time.Minute, appv1.ReasonStarted)
		want(2*time.Minute, appv1.ReasonIdle)
		restart() // which starts idle again
		want(time.Hour, appv1.ReasonIdle)
		// A client connects, and leaves.
		send(messages.VMChanged{Generation: generation, State: messages.VMStopped, Used: time.Now()})
		want(9*time.Minute, appv1.ReasonStarted)
		want(2*time.Minute, appv1.ReasonIdle)
		// A request comes, and takes long.
		request := &containersv1.VolumeCreateRequest{}
		request.UID = "1"
		k.sink(kube.Changed{Object: request})
		want(time.Hour, appv1.ReasonStarted)
		k.sink(kube.Removed{Object: request})
		want(11*time.Minute, appv1.ReasonIdle)
		// The App changes.
		app := k.stored()
		app.Generation, app.Spec.VM.IdleStop = generation+1, "1h"
		k.sink(kube.Changed{Object: app})
		want(59*time.Minute, appv1.ReasonStarted)
		want(2*time.Minute, appv1.ReasonIdle)
	})
}
