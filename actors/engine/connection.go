package engine

import (
	"context"
	"fmt"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/async"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

const (
	sessionName      = "session"
	namespaceTimeout = 10 * time.Second
)

// connect sets the desired engine. The command can be repeated.
func (s *supervisor) connect(c actor.Context, msg messages.ConnectEngine) {
	isSame := s.desired != nil && s.desired.Endpoint == msg.Endpoint && s.desired.Namespace == msg.Namespace
	isSame = isSame && !s.isSuspended
	s.owner, s.seq, s.desired, s.isSuspended = c.Sender(), msg.Seq, &msg, false
	if isSame {
		return
	}
	s.endSession(c)
	if s.isReplacing() {
		s.releaseAll(c)
		return
	}
	s.open()
}

// disconnect sets that no engine is desired. The command can be repeated.
func (s *supervisor) disconnect(c actor.Context, msg messages.DisconnectEngine) {
	isSame := s.desired == nil && s.seq != 0 && !s.isSuspended
	s.owner, s.seq, s.desired, s.isSuspended = c.Sender(), msg.Seq, nil, false
	if isSame {
		return
	}
	s.endSession(c)
	s.releaseAll(c)
}

// suspend ends the session and keeps the mirrors. The command can be repeated.
func (s *supervisor) suspend(c actor.Context, msg messages.SuspendEngine) {
	wasSuspended := s.isSuspended
	s.owner, s.seq, s.isSuspended = c.Sender(), msg.Seq, true
	if !wasSuspended {
		s.endSession(c)
	}
}

// endSession stops the session, and resets what is known of its engine.
func (s *supervisor) endSession(c actor.Context) {
	s.endConnection("rdd ends its connection to the container engine, because the engine stops or is replaced")
	s.connection, s.failure, s.pauses, s.openFailures = neverConnected, "", 0, 0
	s.stopGrace()
	s.stopOpening()
	if s.session != nil {
		c.Stop(s.session)
	}
}

// releaseAll releases every mirror, because its engine is gone.
func (s *supervisor) releaseAll(c actor.Context) {
	for _, e := range s.mirrors.all() {
		s.release(c, e)
	}
}

// closeClient closes a client that is not desired when its last mirror is gone. Then
// the desired one can be opened.
func (s *supervisor) closeClient() {
	if s.client == nil || s.isMirroring() || !s.isEmpty() {
		return
	}
	_ = s.client.Close()
	s.client, s.endpoint = nil, ""
	s.open()
}

// open prepares a session, if one is desired and there is none. It waits for the
// subscription: a mirror that is delivered after the full sync would stay until the
// next one, if its object is gone.
func (s *supervisor) open() {
	s.stopOpening()
	if !s.isMirroring() || s.isSuspended || s.session != nil || s.isOpening || !s.isSynced {
		return
	}
	if s.client == nil {
		client, err := s.Dial(s.desired.Endpoint)
		if err != nil {
			s.openFailed(fmt.Errorf("endpoint %s: %w", s.desired.Endpoint, err))
			return
		}
		s.client, s.endpoint = client, s.desired.Endpoint
	}
	s.isOpening = true
	namespace := s.desired.Namespace
	s.tasks.Go(namespaceTimeout, func(ctx context.Context) any {
		return namespaceReady{err: s.EnsureNamespace(ctx, namespace)}
	})
}

func (s *supervisor) namespaceReady(c actor.Context, err error) {
	s.isOpening = false
	switch {
	case s.client == nil:
		s.open() // it was prepared for an engine that was replaced
	case !s.isMirroring(), s.isSuspended:
	case err != nil:
		s.openFailed(err)
	default:
		s.openFailures = 0
		s.spawnSession(c)
	}
}

// openFailed retries with back-off: the endpoint is wrong, or the namespace of the
// mirrors could not be created.
func (s *supervisor) openFailed(err error) {
	if s.failure != err.Error() { // once for each reason, not for each attempt
		s.Logger.Warn("no session of the engine can be opened", "namespace", s.desired.Namespace, "err", err)
	}
	s.failure = err.Error()
	s.openFailures++
	backoff := async.Backoff{Min: time.Second, Max: 10 * time.Second}
	s.openLater(backoff.Delay(s.openFailures))
}

// openLater opens a session after a pause, which replaces the former one.
func (s *supervisor) openLater(pause time.Duration) {
	s.stopOpening()
	s.opening = s.tasks.After(pause, openDue{})
}

// stopOpening ends the pause before the next session.
func (s *supervisor) stopOpening() {
	if s.opening != nil {
		s.opening.Stop()
		s.opening = nil
	}
}

func (s *supervisor) spawnSession(c actor.Context) {
	if s.session != nil {
		return
	}
	client := s.client
	props := s.Props(c.Self().Id+"/"+sessionName, func(report func(string)) actor.Actor {
		return newSession(sessionConfig{engine: client, logger: s.Logger, report: report})
	})
	pid, err := c.SpawnNamed(props, sessionName)
	if err != nil {
		panic(fmt.Errorf("spawn the engine session: %w", err))
	}
	s.session = pid
}

// sessionEnded opens the next session, if one is desired. The session was stopped by a
// command, or because its failures passed the intensity limit.
func (s *supervisor) sessionEnded() {
	if s.failure != "" {
		s.openLater(s.pause())
		return
	}
	s.open()
}

// pause returns the pause before the next session, after one whose failures passed the
// intensity limit. It is short within the grace period: an engine that comes back
// within it must be found within it.
func (s *supervisor) pause() time.Duration {
	if time.Now().Before(s.graceEnds) {
		return time.Second
	}
	s.pauses++
	return async.Backoff{Min: s.Slow, Max: 30 * time.Second}.Delay(s.pauses)
}

// connected begins a full sync.
func (s *supervisor) connected(e engine.Connected) {
	if !s.isMirroring() {
		return
	}
	s.connection, s.failure = connected, ""
	s.holdConnection()
	s.info = appv1.EngineStatus{Version: e.Version, APIVersion: e.APIVersion}
	s.sync = newProgress()
}

// sessionFailed records the failure at once; the strategy restarts the session later.
// The grace period runs from the first failure since the engine was ready.
func (s *supervisor) sessionFailed(f messages.ChildFailed) {
	if !s.isMirroring() || s.isSuspended {
		return
	}
	if s.failure != f.Err.Error() { // once for each reason, not for each attempt
		s.Logger.Warn("engine session failed", "err", async.WithStack(f.Err))
	}
	s.failure = f.Err.Error()
	wasConnected := s.connection == connected
	if wasConnected {
		s.connection = disconnected
		s.endConnection(engine.ConnectionLost + s.failure)
	}
	if !wasConnected && !s.graceEnds.IsZero() {
		return
	}
	if s.graceEnds.IsZero() {
		s.graceEnds = time.Now().Add(s.Grace)
	}
	if s.grace != nil {
		s.grace.Stop()
	}
	s.grace = s.tasks.After(time.Until(s.graceEnds), graceOver{})
}

// graceOver releases the mirrors of an engine that did not reconnect. A timer of an
// earlier failure can be left: it must not end the grace period of the last one.
func (s *supervisor) graceOver(c actor.Context) {
	if !s.isMirroring() || s.isSuspended || s.connection == connected || time.Now().Before(s.graceEnds) || s.mirrors.empty() {
		return
	}
	s.Logger.Warn("the engine did not reconnect within the grace period: its mirrors are removed", "grace", s.Grace)
	s.releaseAll(c)
}

func (s *supervisor) stopGrace() {
	if s.grace != nil {
		s.grace.Stop()
		s.grace = nil
	}
	s.graceEnds = time.Time{}
}
