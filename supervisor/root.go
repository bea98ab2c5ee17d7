package supervisor

import (
	"fmt"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/rancher-sandbox/rancher-desktop-daemon/actors/task"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/async"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

const (
	// drainTimeout bounds a drain in which no driver stops the engine, and the rest of one
	// after that.
	drainTimeout = 60 * time.Second
	// drainLimit bounds a drain in which a driver stops the engine. The driver bounds
	// the stop by the containers' stop timeouts, but its call may never return.
	drainLimit = 30 * time.Minute
)

// toSelf is a message of the root to itself.
//
//sumtype:decl
type toSelf interface{ toSelf() }

type (
	// apiServing reports that the control plane serves.
	apiServing struct{ api api }
	// drainOver reports that the engine did not stop in time.
	drainOver struct{}
)

func (apiServing) toSelf() {}
func (drainOver) toSelf()  {}

// root is the actor at the top.
type root struct {
	blueprint
	report func(string)
	tasks  *task.Runner
	// children in the order in which they were spawned. They are stopped in reverse.
	children []*actor.PID
	app      *actor.PID
	stopping bool
	// draining is the last report of the app actor. stoppedAt is when a driver stopped
	// the engine, or first failed to.
	draining  messages.Draining
	stoppedAt time.Time
	// drainEnds is when drainLimit is over.
	drainEnds time.Time
}

func newRoot(b blueprint, report func(string)) actor.Actor {
	return &root{blueprint: b, report: report}
}

// Receive implements actor.Actor.
func (r *root) Receive(c actor.Context) {
	switch msg := c.Message().(type) {
	case *actor.Started:
		r.tasks = task.NewRunner(c)
		r.report("starting")
		r.spawn(c, r.controlPlaneProps(notifyServing(c)), controlPlaneName)
	case *actor.Restarting:
		r.ready(false)
		r.tasks.Stop()
	case *actor.Stopping:
		r.tasks.Stop()
	case *actor.Stopped:
		r.ended()
	case messages.ToRoot:
		r.receive(c, msg)
	case toSelf:
		r.receiveOwn(c, msg)
	case task.Done:
		if value, ok := r.tasks.Take(msg); ok {
			r.receiveOwn(c, value.(toSelf))
		}
	case *actor.Terminated:
		r.terminated(c, msg.Who)
	default:
		r.logger.Error("unexpected message for the root", "message", msg)
	}
}

func (r *root) receive(c actor.Context, msg messages.ToRoot) {
	switch msg := msg.(type) {
	case messages.AppReady:
		if r.app == nil || r.stopping {
			return // of a tree that has ended, or that ends
		}
		r.report("running")
		r.ready(true)
	case messages.ChildFailed:
		r.childFailed(c, msg)
	case messages.Shutdown:
		r.shutdown(c, msg)
	case messages.Draining:
		if r.draining.EngineStopping && !msg.EngineStopping && r.stoppedAt.IsZero() {
			r.stoppedAt = time.Now()
		}
		r.draining = msg
	case messages.Drained:
		r.stopNext(c)
	}
}

func (r *root) receiveOwn(c actor.Context, msg toSelf) {
	switch msg := msg.(type) {
	case apiServing:
		r.spawnRest(c, msg.api)
	case drainOver:
		r.drainOver(c)
	}
}

func (r *root) spawn(c actor.Context, props *actor.Props, name string) *actor.PID {
	pid, err := c.SpawnNamed(props, name)
	if err != nil {
		panic(fmt.Errorf("spawn %s: %w", name, err))
	}
	r.children = append(r.children, pid)
	return pid
}

// notifyServing returns a function that sends the API of a server to the root.
func notifyServing(c actor.Context) func(server) error {
	system, self := c.ActorSystem(), c.Self()
	return func(s server) error {
		api, err := s.API()
		if err != nil {
			return err
		}
		system.Root.Send(self, apiServing{api})
		return nil
	}
}

// spawnRest spawns the rest of the tree when the API server serves.
func (r *root) spawnRest(c actor.Context, api api) {
	if r.stopping || r.app != nil {
		return
	}
	vm := r.spawn(c, r.vmProps(), vmName)
	engine := r.spawn(c, r.engineProps(api), engineName)
	var hub *actor.PID
	if r.membership != nil {
		hub = r.spawn(c, r.hubProps(api), hubName)
	}
	r.app = r.spawn(c, r.appProps(api, vm, engine, hub), appName)
	r.spawn(c, r.requestsProps(api, engine), requestsName)
	r.spawn(c, r.bridgeProps(api), bridgeName)
}

// childFailed forwards the report to the actor that sends commands to the failed child,
// because the child restarts empty.
func (r *root) childFailed(c actor.Context, f messages.ChildFailed) {
	r.logger.Error("actor failed", "actor", f.Name, "err", async.WithStack(f.Err), "retryIn", f.RetryIn, "gaveUp", f.GaveUp)
	if f.GaveUp {
		// No other actor does the work of this one: the whole tree restarts.
		panic(fmt.Errorf("%s: %w", f.Name, f.Err))
	}
	if r.app == nil {
		return // a child of a former tree
	}
	switch f.Name {
	case vmName, engineName, hubName:
		c.Send(r.app, f)
	case appName:
		if r.stopping {
			c.Request(r.app, messages.Drain{})
		}
	}
}

// shutdown stops the engine, unless the engine is kept, and then every child in reverse
// order.
func (r *root) shutdown(c actor.Context, msg messages.Shutdown) {
	if r.stopping {
		return
	}
	r.stopping = true
	r.ready(false)
	r.report("stopping")
	if msg.KeepVM || r.app == nil {
		r.stopNext(c)
		return
	}
	c.Request(r.app, messages.Drain{})
	r.drainEnds = time.Now().Add(drainLimit)
	r.tasks.After(drainTimeout, drainOver{})
}

// drainOver ends the tree before the drain is complete, unless a driver stops the engine,
// or has stopped it within drainTimeout.
func (r *root) drainOver(c actor.Context) {
	pause := drainTimeout - time.Since(r.stoppedAt)
	if r.draining.EngineStopping {
		pause = drainTimeout
	}
	if pause = min(pause, time.Until(r.drainEnds)); pause > 0 {
		r.tasks.After(pause, drainOver{})
		return
	}
	r.logger.Error("the daemon ends although the engine or its mirrors are left", "left", r.draining.Left)
	r.stopNext(c)
}

// stopNext stops the last child, and the root itself after its first child.
func (r *root) stopNext(c actor.Context) {
	if n := len(r.children); n > 0 {
		c.Stop(r.children[n-1])
		return
	}
	c.Stop(c.Self())
}

func (r *root) terminated(c actor.Context, who *actor.PID) {
	for i, pid := range r.children {
		if pid.Equal(who) {
			r.children = append(r.children[:i], r.children[i+1:]...)
			break
		}
	}
	if r.stopping {
		r.stopNext(c)
	}
}
