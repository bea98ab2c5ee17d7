package engine

import (
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
	// owner is told EngineChanged; told is the last one.
	owner *actor.PID
	told  messages.EngineChanged
	// seq of the last command, and what it asked for: nil for no engine.
	seq  uint64
	want *messages.ConnectEngine
	// client of the wanted engine; kept until its last mirror is gone.
	client engine.Engine
	// dialed counts the connections that client was; zero before the first.
	dialed   int
	endpoint string
	// session is the child, until it has ended.
	session *actor.PID
	// opening is set while a session is being prepared.
	opening bool
	state   messages.EngineState
	// failing is why the last attempt to connect failed, empty when it did not.
	failing string
	// slow counts the pauses since the engine was last ready.
	slow  int
	info  appv1.EngineStatus
	grace *time.Timer
	// graceEnds is when the mirrors of an engine that does not answer go; zero while
	// it is ready.
	graceEnds time.Time
	mirrors   registry
	sync      progress
	// synced is set once the subscription has delivered every mirror. Before that
	// the supervisor opens no session and does not report that no mirror is left.
	synced bool
	// ending is set when this incarnation stops.
	ending bool
}

// New returns an engine supervisor.
func New(cfg Config) actor.Actor {
	return &supervisor{Config: cfg, state: messages.EngineIdle, mirrors: newRegistry()}
}

// Messages of the supervisor to itself.
type (
	namespaceReady struct{ err error }
	graceOver      struct{}
	openAgain      struct{}
	progressDue    struct{}
	respawn        struct{ e *entry }
)

// Receive implements actor.Actor.
func (s *supervisor) Receive(c actor.Context) {
	if s.ending {
		return // children that end must not be taken for lost ones and revived
	}
	switch msg := c.Message().(type) {
	case *actor.Started:
		s.tasks = task.NewRunner(c)
		s.subscribe()
		s.Report(string(s.state))
	case *actor.Stopping, *actor.Restarting:
		s.ending = true
		s.tasks.Stop()
		if s.client != nil {
			_ = s.client.Close()
		}
	case *actor.Stopped:
	case *actor.Terminated:
		s.terminated(c, msg.Who)
	case messages.ConnectEngine:
		s.owner, s.seq = c.Sender(), msg.Seq
		s.connect(c, msg)
	case messages.DisconnectEngine:
		s.owner, s.seq = c.Sender(), msg.Seq
		s.disconnect(c)
	case messages.ChildFailed:
		s.childFailed(c, msg)
	case task.Done:
		s.taskDone(c, msg)
	default:
		if !s.receiveReading(c) && !s.receiveFact(c) {
			s.Logger.Error("engine supervisor got a message it does not know", "message", msg)
		}
	}
	s.publish(c)
}

// receiveReading handles what the session tells. News of its end can overtake
// what it told before, which is of no use then: it may be of another engine.
func (s *supervisor) receiveReading(c actor.Context) bool {
	switch msg := c.Message().(type) {
	case messages.SessionStarted:
		c.Send(c.Sender(), messages.BeginWatch{Known: s.mirrors.known()})
	case messages.SessionEvent:
		if s.session != nil {
			s.take(c, msg.Event)
		}
	default:
		return false
	}
	return true
}

func (s *supervisor) take(c actor.Context, event engine.Event) {
	switch e := event.(type) {
	case engine.Connected:
		s.connected(e)
	case engine.Listed:
		s.sync.listed(e.Counts)
	case engine.Object:
		s.objectSeen(c, messages.ObjectSeen{Object: e.Mirror, AsOf: e.AsOf})
	case engine.Gone:
		s.objectGone(c, messages.ObjectGone{Kind: e.Key.Kind, Name: e.Key.ResourceName(), AsOf: e.AsOf})
	case engine.Synced:
		s.syncCompleted(c, e)
	}
}

// receiveFact handles what the mirrors report.
func (s *supervisor) receiveFact(c actor.Context) bool {
	switch msg := c.Message().(type) {
	case messages.MirrorRead:
		s.mirrorRead(msg)
	case messages.MirrorSettled:
		s.mirrorSettled(msg)
	case messages.MirrorFinished:
		s.mirrorFinished(c, msg)
	default:
		return false
	}
	return true
}

func (s *supervisor) taskDone(c actor.Context, d task.Done) {
	value, ok := s.tasks.Take(d)
	if !ok {
		return
	}
	switch v := value.(type) {
	case kube.Event:
		s.delivered(c, v)
	case subscribeFailed:
		panic(v.err)
	case namespaceReady:
		s.opening = false
		if s.client == nil {
			s.open() // the engine that it was for is not wanted any more
			return
		}
		if v.err != nil {
			s.failing = v.err.Error()
			s.tasks.After(time.Second, openAgain{})
			return
		}
		s.spawnSession(c)
	case openAgain:
		s.open()
	case graceOver:
		s.graceOver(c)
	case progressDue:
		s.sync.due = false
	case respawn:
		s.revive(c, v.e)
	case marked:
		if v.err != nil {
			s.Logger.Warn("failure of a mirror could not be shown on its resource", "err", v.err)
		}
	}
}

// childFailed is told by the supervision strategy, before the child restarts.
func (s *supervisor) childFailed(c actor.Context, f messages.ChildFailed) {
	if f.Name == sessionName {
		s.sessionFailed(f)
		return
	}
	kind, name, _ := strings.Cut(f.Name, "/")
	e := s.mirrors.byPath(kind, name)
	if e == nil {
		return
	}
	s.mirrorFailed(c, e, f)
}

// terminated takes note that a child has ended.
func (s *supervisor) terminated(c actor.Context, who *actor.PID) {
	if s.session != nil && who.Equal(s.session) {
		s.session = nil
		s.sessionEnded()
		return
	}
	e, asked := s.mirrors.ended(who)
	switch {
	case e == nil:
	case asked:
		s.revive(c, e)
	default:
		// The strategy gave up on it. The news of that may come before or after
		// this, so nothing is decided from it.
		s.rest(e)
	}
}

// revive gives an entry without an actor a new one, if there is still anything
// to mirror: it may have been seen again while its actor was on the way out.
func (s *supervisor) revive(c actor.Context, e *entry) {
	switch {
	case e.pid != nil || s.mirrors.entries[e.key] != e:
	case e.alive():
		s.spawnMirror(c, e)
		e.tellAll(c)
	default:
		s.forget(c, e)
	}
}
