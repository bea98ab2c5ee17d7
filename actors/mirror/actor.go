package mirror

import (
	"context"
	"log/slog"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"

	"github.com/rancher-sandbox/rancher-desktop-daemon/actors/task"
	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/async"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/kube"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// operationTimeout bounds one operation, except for the stop of a container, which
// takes as long as the container's own stop timeout.
const operationTimeout = 90 * time.Second

// Config has the parts of a mirror.
type Config struct {
	Kind containersv1.Kind
	// Name of the resource.
	Name string
	// Namespace of Kubernetes in which the resource lives.
	Namespace string
	Kube      Writer
	// BoundsWrites is set if Kube bounds each write itself, because a write may have to
	// wait for its turn for long.
	BoundsWrites bool
	Engine       engine.Engine
	// Events records events of the resource; nil records none. With OnlyRequested, it gets
	// those of desired states, deletes and actions of this API server, and none of what else
	// happens to the object.
	Events        kube.Recorder
	OnlyRequested bool
	Logger        *slog.Logger
	// Report shows the mirror's state in the live picture of the tree.
	Report func(state string)
	// IsUnshared reports whether the engine's host lacks a path of this machine; nil if
	// that is this machine. It reads the file system, and is not called by the actor.
	IsUnshared func(path string) bool
	// IsLeaving reports whether the resources of a kind are being deleted together with
	// their namespace or their definition, so that no object may be removed on their
	// account; nil if that cannot happen. It is not called by the actor.
	IsLeaving func(ctx context.Context, kind containersv1.Kind) (bool, error)
	// Ledger records the requests that were carried out; nil for an API server that does
	// not forget them.
	Ledger Ledger
	// Storable returns the part of a mirror that the API server stores; nil if that is
	// all. It may return its argument.
	Storable func(containersv1.Mirror) containersv1.Mirror
}

// mirror is the actor. It sends MirrorSettled and MirrorFinished to its parent.
type mirror struct {
	Config
	tasks *task.Runner
	view  view
	// factAsOf is when the last reading of the engine's object began.
	factAsOf time.Time
	// removed is the last resource whose removal was observed. The answer to an
	// earlier write can arrive later, and must not restore it.
	removed types.UID
	// version is the newest resource version observed, of any resource with this name.
	version string
	// engine runs the calls to the engine, and api the writes to the API server.
	engine, api lane
	// lastSettled is the last MirrorSettled that was sent; empty if the next one must be
	// sent even when it is equal.
	lastSettled messages.MirrorSettled
}

// New returns a mirror actor.
func New(cfg Config) actor.Actor {
	if cfg.Events == nil {
		cfg.Events = kube.NoEvents{}
	}
	return &mirror{
		Config: cfg,
		view:   view{kind: cfg.Kind, storable: cfg.Storable},
		engine: lane{retry: retry{backoff: async.Backoff{Min: time.Second, Max: 5 * time.Minute}}},
		api:    lane{retry: retry{backoff: async.Backoff{Min: 100 * time.Millisecond, Max: 30 * time.Second}}},
	}
}

// Receive implements actor.Actor.
func (m *mirror) Receive(c actor.Context) {
	switch msg := c.Message().(type) {
	case *actor.Started:
		m.tasks = task.NewRunner(c)
		return
	case *actor.Stopping, *actor.Restarting:
		m.tasks.Stop()
		return
	case *actor.Stopped:
		return
	case messages.ToMirror:
		m.receive(msg)
	case task.Done:
		m.done(c, msg)
	default:
		m.Logger.Error("unexpected message for a mirror", "mirror", m.Name, "message", msg)
		return
	}
	m.step(c)
}

func (m *mirror) receive(msg messages.ToMirror) {
	switch msg := msg.(type) {
	case messages.ObjectSeen:
		m.seen(msg.Object, msg.AsOf)
	case messages.ObjectGone:
		m.gone(msg.AsOf)
	case messages.EngineGone:
		m.view.engineGone = true
		m.api.retry.reset() // the next write removes the resource
	case messages.MirrorChanged:
		m.changed(msg.Object)
	case messages.MirrorRemoved:
		m.removed = msg.UID
		if m.view.resource != nil && m.view.resource.GetUID() == msg.UID {
			m.view.resource = nil
		}
	case messages.RetryNow:
		m.engine.retry.reset()
	}
}

// step starts the next operations, if any.
func (m *mirror) step(c actor.Context) {
	m.view.waiting, m.view.inFlight = m.engine.retry.waits, m.engine.running
	m.view.shutdowns = m.engine.retry.shutdowns
	m.view.deleted = isDeleted(m.view)
	if m.engine.running == nothing && engineCall(m.view) == nothing {
		m.engine.err = nil // the request that failed was withdrawn
	}
	p := decide(m.view)
	if p.cancel {
		m.engine.abandon()
	}
	if p.engine != nothing {
		m.start(&m.engine, p.engine)
		m.view.inFlight = p.engine
	}
	m.report(p)
	switch {
	case m.api.running != nothing:
	case p.write == finish:
		c.Send(c.Parent(), messages.MirrorFinished{Kind: m.Kind, Name: m.Name, AsOf: m.factAsOf, Removed: m.removed})
	case p.write == nothing || m.api.retry.waits != nothing:
		m.settled(c)
	default:
		m.start(&m.api, p.write)
	}
}

// start runs an operation in its lane.
func (m *mirror) start(l *lane, op operation) {
	l.running, l.abandoned = op, false
	if l == &m.engine {
		m.view.isEnding = waitsForEnd(op, m.view.resource)
	}
	l.cancel = m.tasks.Go(m.timeout(op), m.Config.runner(op, m.view))
}

func (m *mirror) report(p plan) {
	state := "mirrored"
	switch {
	case m.engine.running != nothing:
		state = string(m.engine.running)
	case p.write == finish:
		return
	case p.write != nothing && m.api.retry.waits != nothing:
		state = "retrying"
	case p.write != nothing:
		state = string(p.write)
	case m.view.refusal.condition != "":
		state = "refused"
	case m.view.resource == nil || m.view.engine == unknown:
		state = "waiting"
	}
	m.Report(state)
}

// settled reports to the parent that nothing is left to do for now, once per fact.
func (m *mirror) settled(c actor.Context) {
	if m.view.engine == unknown {
		return
	}
	s := messages.MirrorSettled{
		Kind: m.Kind, Name: m.Name, AsOf: m.factAsOf, Err: m.api.err,
		Refused: m.view.refusal.condition != "",
	}
	if s.Err == nil {
		s.Err = m.engine.err
	}
	if s != m.lastSettled {
		m.lastSettled = s
		c.Send(c.Parent(), s)
	}
}

func (m *mirror) seen(object containersv1.Mirror, asOf time.Time) {
	if asOf.Before(m.factAsOf) {
		m.lastSettled = messages.MirrorSettled{} // the parent waits for an answer to each reading
		return
	}
	m.factAsOf = asOf
	m.view.engine, m.view.object, m.view.engineGone = present, object, false
	if m.engine.retry.unreachable {
		m.engine.retry.reset()
	}
}

func (m *mirror) gone(asOf time.Time) {
	if asOf.Before(m.factAsOf) {
		m.lastSettled = messages.MirrorSettled{}
		return
	}
	m.factAsOf = asOf
	m.view.engine, m.view.object = absent, nil
}

// changed replaces the resource by a newer version, or by the informer's copy of the
// same version, so that both share their memory. Resource versions increase across
// all resources of the datastore, so an older one is of a replaced or removed resource.
func (m *mirror) changed(obj containersv1.Mirror) {
	if obj.GetUID() == m.removed {
		return
	}
	order, err := resourceversion.CompareResourceVersion(obj.GetResourceVersion(), m.version)
	if err == nil && order < 0 {
		return
	}
	m.version = obj.GetResourceVersion()
	old := m.view.resource
	if old == nil || old.GetGeneration() != obj.GetGeneration() || old.GetUID() != obj.GetUID() {
		// A new request does not wait for the retry of an earlier one.
		m.engine.retry.reset()
		m.view.refusal = storedRefusal(obj)
	}
	if old == nil || old.GetUID() != obj.GetUID() {
		m.view.applied, m.view.deleted = 0, false // these were of the former resource
	}
	if c, ok := obj.(*containersv1.Container); ok && c.RunningAction() == nil {
		m.view.recorded, m.view.result, m.view.wasRead = nil, nil, false // these were of a former action
	} else if ok && m.engine.retry.waits == runAction && !isSameAction(old, c) {
		m.engine.retry.reset() // a kill does not wait for the retry of a stop
	}
	m.view.resource = obj
	m.recordChange(old, obj)
}
