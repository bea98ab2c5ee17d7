package request

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/rancher-sandbox/rancher-desktop-daemon/actors/task"
	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/async"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/kube"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// pauseAfterFailures is the pause before an actor restarts that the supervision strategy
// gave up.
const pauseAfterFailures = time.Minute

// namespaceTimeout bounds the creation of the namespace, and namespacePause is the pause
// before it is retried.
const (
	namespaceTimeout = 30 * time.Second
	namespacePause   = 5 * time.Second
)

// supervisor is the actor that holds the actors of all requests.
type supervisor struct {
	Config
	tasks *task.Runner
	// isStopping is set when this incarnation ends.
	isStopping bool
	// entries by the name of the actor below the supervisor.
	entries map[string]*entry
	// isReady is whether the App reported a connected engine last.
	isReady bool
	// namespace of the mirrors that was created, or is being created.
	namespace string
}

// entry is one request and its actor.
type entry struct {
	spec spec
	// resource is the informer's copy; nil when there is none.
	resource containersv1.Request
	// pid is nil while there is no actor.
	pid *actor.PID
	// isStopping is set from the order to stop until the actor has ended.
	isStopping bool
}

// New returns the supervisor of the requests.
func New(cfg Config) actor.Actor {
	if cfg.Events == nil {
		cfg.Events = kube.NoEvents{}
	}
	return &supervisor{Config: cfg, entries: map[string]*entry{}}
}

// supervisorToSelf is a message of the supervisor to itself.
//
//sumtype:decl
type supervisorToSelf interface{ supervisorToSelf() }

type (
	delivery        struct{ event kube.Event }
	subscribeFailed struct{ err error }
	// restartDue reports that the pause of an actor that was given up is over.
	restartDue struct{ path string }
	// namespaceReady reports that the namespace of the mirrors exists, or why not.
	namespaceReady struct {
		name string
		err  error
	}
	// namespaceDue reports that the creation of the namespace can be retried.
	namespaceDue struct{ name string }
)

func (delivery) supervisorToSelf()        {}
func (subscribeFailed) supervisorToSelf() {}
func (restartDue) supervisorToSelf()      {}
func (namespaceReady) supervisorToSelf()  {}
func (namespaceDue) supervisorToSelf()    {}

// Receive implements actor.Actor.
func (s *supervisor) Receive(c actor.Context) {
	if s.isStopping {
		return // children that end now are not to be restarted
	}
	switch msg := c.Message().(type) {
	case *actor.Started:
		s.tasks = task.NewRunner(c)
		s.subscribe()
		s.Report("watching")
	case *actor.Stopping, *actor.Restarting:
		s.isStopping = true
		s.tasks.Stop()
	case *actor.Terminated:
		s.terminated(c, msg.Who)
	case messages.ToRequests:
		s.receive(c, msg)
	case task.Done:
		if value, ok := s.tasks.Take(msg); ok {
			s.receiveOwn(c, value.(supervisorToSelf))
		}
	default:
		s.Logger.Error("unexpected message for the supervisor of the requests", "message", msg)
	}
}

// subscribe subscribes this incarnation to the requests, and to the App, which reports
// when an engine is connected.
func (s *supervisor) subscribe() {
	objects := append(kube.RequestObjects(), &appv1.App{})
	s.tasks.Loop(func(ctx context.Context, send func(any)) any {
		if err := s.Subscribe(ctx, func(e kube.Event) { send(delivery{e}) }, objects...); err != nil {
			return subscribeFailed{err}
		}
		return nil
	})
}

func (s *supervisor) receive(c actor.Context, msg messages.ToRequests) {
	switch msg := msg.(type) {
	case messages.ChildFailed:
		s.Logger.Error("actor of a request failed", "request", msg.Name,
			"err", async.WithStack(msg.Err), "retryIn", msg.RetryIn, "gaveUp", msg.GaveUp)
		e := s.entries[msg.Name]
		if e != nil && e.pid != nil && !e.isStopping && e.resource != nil && !msg.GaveUp {
			c.Send(e.pid, messages.RequestChanged{Object: e.resource}) // it starts empty
		}
	}
}

func (s *supervisor) receiveOwn(c actor.Context, msg supervisorToSelf) {
	switch msg := msg.(type) {
	case delivery:
		s.delivered(c, msg.event)
	case subscribeFailed:
		panic(msg.err)
	case restartDue:
		s.settle(c, msg.path)
	case namespaceReady:
		if msg.err != nil {
			s.Logger.Warn("the namespace of the requests could not be created", "namespace", msg.name, "err", msg.err)
			s.tasks.After(namespacePause, namespaceDue{msg.name})
		}
	case namespaceDue:
		s.createNamespace(msg.name)
	}
}

// createNamespace creates the namespace of the mirrors, so that users can create requests
// before an engine was connected.
func (s *supervisor) createNamespace(name string) {
	s.namespace = name
	s.tasks.Go(namespaceTimeout, func(ctx context.Context) any {
		return namespaceReady{name, s.EnsureNamespace(ctx, name)}
	})
}

func (s *supervisor) delivered(c actor.Context, event kube.Event) {
	switch e := event.(type) {
	case kube.Changed:
		switch obj := e.Object.(type) {
		case containersv1.Request:
			s.changed(c, obj)
		case *appv1.App:
			s.appChanged(c, obj)
		}
	case kube.Removed:
		if obj, ok := e.Object.(containersv1.Request); ok {
			s.removed(c, obj)
		}
	case kube.Synced:
	}
}

func (s *supervisor) changed(c actor.Context, obj containersv1.Request) {
	spec := specOf(obj)
	path := spec.path()
	e := s.entries[path]
	if e == nil {
		e = &entry{spec: spec}
		s.entries[path] = e
	}
	isNew := e.resource == nil
	e.resource = obj
	switch {
	case e.pid != nil && !e.isStopping:
		c.Send(e.pid, messages.RequestChanged{Object: obj})
	case e.pid == nil && isNew:
		s.spawn(c, e)
	}
}

// removed ends the actor of a request that was deleted, which cancels its work.
func (s *supervisor) removed(c actor.Context, obj containersv1.Request) {
	path := specOf(obj).path()
	e := s.entries[path]
	if e == nil || e.resource == nil || e.resource.GetUID() != obj.GetUID() {
		return
	}
	e.resource = nil
	switch {
	case e.pid == nil:
		s.settle(c, path)
	case !e.isStopping:
		e.isStopping = true
		c.Stop(e.pid)
	}
}

// appChanged notifies the requests that an engine was connected.
func (s *supervisor) appChanged(c actor.Context, app *appv1.App) {
	if app.Spec.Namespace != "" && app.Spec.Namespace != s.namespace {
		s.createNamespace(app.Spec.Namespace)
	}
	wasReady := s.isReady
	s.isReady = meta.IsStatusConditionTrue(app.Status.Conditions, appv1.ConditionEngineReady)
	if wasReady || !s.isReady {
		return
	}
	for _, path := range slices.Sorted(maps.Keys(s.entries)) {
		if e := s.entries[path]; e.pid != nil && !e.isStopping {
			c.Send(e.pid, messages.EngineAvailable{})
		}
	}
}

func (s *supervisor) spawn(c actor.Context, e *entry) {
	path := e.spec.path()
	props := s.Props(c.Self().Id+"/"+path, func(report func(string)) actor.Actor {
		return newRequest(s.Config, e.spec, report)
	})
	pid, err := c.SpawnNamed(props, path)
	if err != nil {
		panic(fmt.Errorf("spawn the actor of request %s: %w", path, err))
	}
	e.pid, e.isStopping = pid, false
	c.Send(pid, messages.RequestChanged{Object: e.resource})
}

// terminated handles the end of an actor: it was stopped, or given up.
func (s *supervisor) terminated(c actor.Context, who *actor.PID) {
	path := strings.TrimPrefix(who.Id, c.Self().Id+"/")
	e := s.entries[path]
	if e == nil || e.pid == nil || !e.pid.Equal(who) {
		return
	}
	gaveUp := !e.isStopping
	e.pid, e.isStopping = nil, false
	if gaveUp && e.resource != nil {
		s.tasks.After(pauseAfterFailures, restartDue{path})
		return
	}
	s.settle(c, path)
}

// settle creates the actor of a request that has none, and removes the entry of one that
// was deleted.
func (s *supervisor) settle(c actor.Context, path string) {
	e := s.entries[path]
	switch {
	case e == nil || e.pid != nil:
	case e.resource != nil:
		s.spawn(c, e)
	default:
		delete(s.entries, path)
	}
}

func specOf(obj containersv1.Request) spec {
	return spec{kind: obj.RequestKind(), namespace: obj.GetNamespace(), name: obj.GetName()}
}

// path is the name of the request's actor below the supervisor.
func (s spec) path() string {
	return strings.Join([]string{strings.ToLower(string(s.kind)), s.namespace, s.name}, "/")
}
