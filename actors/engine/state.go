package engine

import (
	"github.com/asynkron/protoactor-go/actor"

	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// connection says whether the session has connected since the engine is desired.
type connection int

const (
	// neverConnected: no session has connected yet.
	neverConnected connection = iota
	// connected: the session follows the engine.
	connected
	// disconnected: the connection was lost. The grace period may be over.
	disconnected
)

// facts are all that the state of the engine supervisor follows from.
type facts struct {
	// isCommanded is set once the app actor has sent a command.
	isCommanded bool
	// isSuspended is set while the engine is stopped until something uses it.
	isSuspended bool
	// isDesired is set while an engine is desired.
	isDesired bool
	// isReplacing is set while the client and the mirrors are those of an engine that
	// another one replaces.
	isReplacing bool
	// isEmpty is set when no session and no mirror is left. It is not known before
	// the subscription has delivered every mirror.
	isEmpty    bool
	connection connection
	// isMirrored is set once every object of a full sync was mirrored, or has a
	// recorded reason why not.
	isMirrored bool
}

// deriveState returns the state that follows from the facts.
func deriveState(f facts) messages.EngineState {
	switch {
	case f.isSuspended:
		return messages.EngineSuspended
	case !f.isCommanded, !f.isDesired && f.isEmpty:
		return messages.EngineIdle
	case !f.isDesired, f.isReplacing:
		return messages.EngineCleaning
	case f.connection == neverConnected:
		return messages.EngineConnecting
	case f.connection == disconnected:
		return messages.EngineDisconnected
	case !f.isMirrored:
		return messages.EngineSyncing
	default:
		return messages.EngineReady
	}
}

func (s *supervisor) facts() facts {
	return facts{
		isCommanded: s.seq != 0,
		isSuspended: s.isSuspended,
		isDesired:   s.desired != nil,
		isReplacing: s.isReplacing(),
		isEmpty:     s.isEmpty(),
		connection:  s.connection,
		isMirrored:  s.sync.isMirrored(),
	}
}

// isReplacing reports whether the engine of the client is not the desired one.
func (s *supervisor) isReplacing() bool {
	return s.desired != nil && s.client != nil && s.endpoint != s.desired.Endpoint
}

// isMirroring reports whether objects of the engine are mirrored, as opposed to mirrors
// being removed because of its end.
func (s *supervisor) isMirroring() bool { return s.desired != nil && !s.isReplacing() }

func (s *supervisor) isEmpty() bool { return s.isSynced && s.mirrors.empty() && s.session == nil }

// isSyncing reports whether the full sync after a connection is not completed.
func (s *supervisor) isSyncing() bool {
	return s.isMirroring() && s.connection == connected && !s.sync.isMirrored()
}

// update derives the state after each message, and publishes what changed.
func (s *supervisor) update(c actor.Context) {
	s.closeClient()
	if state := deriveState(s.facts()); state != s.state {
		s.state = state
		s.Report(string(state))
		if state == messages.EngineReady {
			s.stopGrace()
			s.pauses = 0
		}
	}
	s.publish(c)
}

// publish sends the owner what changed. The progress of a sync or of a removal is sent
// at intervals. After an interval without a change, the next message begins one.
func (s *supervisor) publish(c actor.Context) {
	intervalOver := s.isIntervalOver
	s.isIntervalOver = false
	if s.owner == nil {
		return
	}
	isProgress := s.state == messages.EngineSyncing || s.state == messages.EngineCleaning
	if isProgress && s.isThrottled && s.published.State == s.state && s.published.Seq == s.seq {
		return
	}
	now := messages.EngineChanged{Seq: s.seq, State: s.state, Failing: s.failure != "", Message: s.message(), InUse: len(s.mirrors.inUse) > 0, Used: s.used}
	if s.state == messages.EngineSyncing || s.state == messages.EngineReady {
		now.Engine = s.info
	}
	isChanged := now != s.published
	if isChanged {
		s.published = now
		c.Send(s.owner, now)
	}
	if isProgress && !s.isThrottled && (isChanged || !intervalOver) {
		s.isThrottled = true
		s.tasks.After(progressEvery, progressDue{})
	}
}

func (s *supervisor) message() string {
	switch s.state {
	case messages.EngineSyncing:
		return s.sync.message()
	case messages.EngineReady:
		return s.sync.problems()
	case messages.EngineCleaning:
		return s.mirrors.cleaning()
	default:
		return s.failure
	}
}
