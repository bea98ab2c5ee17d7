package engine

import (
	"context"
	"strings"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/rancher-sandbox/rancher-desktop-daemon/actors/task"
	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/kube"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// supervisor is the actor that holds the mirrors and the session.
type supervisor struct {
	Config
	tasks *task.Runner
	// isStopping is set when this incarnation ends.
	isStopping bool

	// owner receives EngineChanged; published is the last one.
	owner     *actor.PID
	published messages.EngineChanged
	// isThrottled is set while the next report of progress waits for its interval, and
	// isIntervalOver while the end of one is handled.
	isThrottled    bool
	isIntervalOver bool
	// state is derived from the facts after each message.
	state messages.EngineState

	// seq of the last command.
	seq uint64
	// desired engine; nil for none.
	desired *messages.ConnectEngine
	// isSuspended is set while the engine is stopped until something uses it.
	isSuspended bool
	// used is when OpenEngine was last received.
	used time.Time
	// client of the engine at endpoint. It is kept until the last mirror is gone.
	client   engine.Engine
	endpoint string
	// session is the child, until it has ended.
	session *actor.PID
	// isOpening is set while a session is being prepared.
	isOpening  bool
	connection connection
	// lost ends, with endLost, when the connection does; nil before the first one.
	lost    context.Context
	endLost context.CancelCauseFunc
	// failure is why the last attempt to connect failed; empty when it did not.
	failure string
	// openFailures counts the failures in a row to open a session. opening is the timer
	// of the next attempt; nil when there is none.
	openFailures int
	opening      *time.Timer
	// pauses counts those before sessions since the engine was last ready.
	pauses int
	info   appv1.EngineStatus
	// graceEnds is when the mirrors of an unreachable engine are removed; zero while
	// it is ready.
	graceEnds time.Time
	grace     *time.Timer

	mirrors registry
	sync    progress
	// isSynced is set once the subscription has delivered every mirror. No session is
	// opened before, and it is not known whether a mirror is left.
	isSynced bool
}

// New returns an engine supervisor.
func New(cfg Config) actor.Actor {
	return &supervisor{Config: cfg, state: messages.EngineIdle, mirrors: newRegistry()}
}

// toSelf is a message of the supervisor to itself: the result of a task, or a timer.
//
//sumtype:decl
type toSelf interface{ toSelf() }

type (
	delivery        struct{ event kube.Event }
	subscribeFailed struct{ err error }
	namespaceReady  struct{ err error }
	openDue         struct{}
	graceOver       struct{}
	progressDue     struct{}
	marked          struct{ err error }
)

func (delivery) toSelf()        {}
func (subscribeFailed) toSelf() {}
func (namespaceReady) toSelf()  {}
func (openDue) toSelf()         {}
func (graceOver) toSelf()       {}
func (progressDue) toSelf()     {}
func (restartDue) toSelf()      {}
func (marked) toSelf()          {}

// Receive implements actor.Actor.
func (s *supervisor) Receive(c actor.Context) {
	if s.isStopping {
		return // children that end now are not to be restarted
	}
	switch msg := c.Message().(type) {
	case *actor.Started:
		s.tasks = task.NewRunner(c)
		s.subscribe()
		s.Report(string(s.state))
	case *actor.Stopping, *actor.Restarting:
		s.isStopping = true
		s.tasks.Stop()
		if s.client != nil {
			_ = s.client.Close()
		}
		s.endConnection("rdd restarts its connection to the container engine, or stops")
		return
	case *actor.Terminated:
		s.terminated(c, msg.Who)
	case messages.ToEngine:
		s.receive(c, msg)
	case task.Done:
		if value, ok := s.tasks.Take(msg); ok {
			s.receiveOwn(c, value.(toSelf))
		}
	default:
		s.Logger.Error("unexpected message for the engine supervisor", "message", msg)
	}
	s.update(c)
}

func (s *supervisor) receive(c actor.Context, msg messages.ToEngine) {
	switch msg := msg.(type) {
	case messages.ConnectEngine:
		s.connect(c, msg)
	case messages.DisconnectEngine:
		s.disconnect(c, msg)
	case messages.SuspendEngine:
		s.suspend(c, msg)
	case messages.OpenEngine:
		s.used = time.Now()
		c.Respond(s.opened())
	case messages.SessionStarted:
		c.Send(c.Sender(), messages.BeginWatch{Known: s.mirrors.known()})
	case messages.SessionEvent:
		s.receiveEvent(c, msg.Event)
	case messages.MirrorRead:
		s.mirrorRead(c, msg)
	case messages.MirrorSettled:
		s.mirrorSettled(msg)
	case messages.MirrorFinished:
		s.mirrorFinished(c, msg)
	case messages.ChildFailed:
		s.childFailed(c, msg)
	}
}

// receiveEvent handles what the session reports. An event that arrives after the end of
// its session is dropped: it may be of another engine.
func (s *supervisor) receiveEvent(c actor.Context, event engine.Event) {
	if s.session == nil {
		return
	}
	switch e := event.(type) {
	case engine.Connected:
		s.connected(e)
	case engine.Listed:
		s.sync.listed(e.Counts)
	case engine.Object:
		s.objectSeen(c, e)
	case engine.Gone:
		s.objectGone(c, e.Key.Kind, e.Key.ResourceName(), e.AsOf)
	case engine.Synced:
		s.syncCompleted(c, e)
	}
}

func (s *supervisor) receiveOwn(c actor.Context, msg toSelf) {
	switch msg := msg.(type) {
	case delivery:
		s.delivered(c, msg.event)
	case subscribeFailed:
		panic(msg.err)
	case namespaceReady:
		s.namespaceReady(c, msg.err)
	case openDue:
		s.open()
	case graceOver:
		s.graceOver(c)
	case progressDue:
		s.isThrottled, s.isIntervalOver = false, true
	case restartDue:
		s.pauseOver(c, msg)
	case marked:
		if msg.err != nil {
			s.Logger.Warn("the failure of a mirror could not be written to its resource", "err", msg.err)
		}
	}
}

// childFailed handles the report of the supervision strategy, which comes before the
// child restarts.
func (s *supervisor) childFailed(c actor.Context, f messages.ChildFailed) {
	if f.Name == sessionName {
		s.sessionFailed(f)
		return
	}
	kind, name, _ := strings.Cut(f.Name, "/")
	if e := s.mirrors.byPath(kind, name); e != nil {
		s.mirrorFailed(c, e, f)
	}
}

// terminated handles the end of a child.
func (s *supervisor) terminated(c actor.Context, who *actor.PID) {
	if s.session != nil && who.Equal(s.session) {
		s.session = nil
		s.sessionEnded()
		return
	}
	e, wasStopping := s.mirrors.ended(who)
	switch {
	case e == nil:
	case wasStopping:
		s.restartMirror(c, e)
	default:
		// The strategy gave up. Its report arrives before or after this message, so
		// that nothing may follow from it here.
		s.restartLater(e)
	}
}
