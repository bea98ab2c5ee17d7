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

// connect takes up the wish for an engine. It may come any number of times.
func (s *supervisor) connect(c actor.Context, msg messages.ConnectEngine) {
	same := s.want != nil && s.want.Endpoint == msg.Endpoint && s.want.Namespace == msg.Namespace
	s.want = &msg
	if same {
		return
	}
	s.failing, s.slow = "", 0
	s.stopGrace()
	s.stopSession(c)
	if s.client != nil && s.endpoint != msg.Endpoint {
		// The mirrors that are there belong to another engine.
		s.loseAll(c)
		return
	}
	s.setState(messages.EngineConnecting)
	s.open()
}

// disconnect takes up the wish for no engine.
func (s *supervisor) disconnect(c actor.Context) {
	if s.want == nil && (s.state == messages.EngineIdle && s.synced && s.mirrors.empty() || s.state == messages.EngineCleaning) {
		return
	}
	s.want = nil
	s.failing, s.slow = "", 0
	s.stopGrace()
	s.stopSession(c)
	s.loseAll(c)
}

// loseAll takes every mirror away.
func (s *supervisor) loseAll(c actor.Context) {
	s.setState(messages.EngineCleaning)
	for _, e := range s.mirrors.all() {
		s.lose(c, e)
	}
	s.cleaned()
}

// cleaned goes on once no mirror is left.
func (s *supervisor) cleaned() {
	if s.state != messages.EngineCleaning || !s.synced || !s.mirrors.empty() || s.session != nil {
		return
	}
	if s.client != nil {
		_ = s.client.Close()
		s.client, s.endpoint = nil, ""
	}
	if s.want == nil {
		s.setState(messages.EngineIdle)
		return
	}
	s.setState(messages.EngineConnecting)
	s.open()
}

// open prepares a session, unless there is one or none is wanted. A mirror that
// turned up after the full sync would wait for the next one if its object is gone.
func (s *supervisor) open() {
	if s.want == nil || s.session != nil || s.opening || !s.synced || s.state == messages.EngineCleaning {
		return
	}
	if s.client == nil {
		client, err := s.Dial(s.want.Endpoint)
		if err != nil {
			s.failing = fmt.Sprintf("endpoint %s: %v", s.want.Endpoint, err)
			return
		}
		s.client, s.endpoint = client, s.want.Endpoint
		s.dialed++
	}
	s.opening = true
	namespace := s.want.Namespace
	s.tasks.Go(namespaceTimeout, func(ctx context.Context) any {
		return namespaceReady{err: s.EnsureNamespace(ctx, namespace)}
	})
}

func (s *supervisor) spawnSession(c actor.Context) {
	if s.want == nil || s.session != nil || s.client == nil || s.state == messages.EngineCleaning {
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

func (s *supervisor) stopSession(c actor.Context) {
	if s.session != nil {
		c.Stop(s.session)
	}
}

// sessionEnded goes on after a session that was stopped: by a change of what is
// wanted, or because its failures passed the intensity limit.
func (s *supervisor) sessionEnded() {
	switch {
	case s.state == messages.EngineCleaning:
		s.cleaned()
	case s.want == nil:
	case s.failing != "":
		s.tasks.After(s.pause(), openAgain{})
	default:
		s.open()
	}
}

// pause before the next session after one whose failures passed the intensity
// limit. While the mirrors still wait for the engine it is short: an engine that
// comes back within their time of grace must be found within it.
func (s *supervisor) pause() time.Duration {
	if time.Now().Before(s.graceEnds) {
		return time.Second
	}
	s.slow++
	return async.Backoff{Min: s.Slow, Max: 30 * time.Second}.Delay(s.slow)
}

// connected starts the progress of a full sync.
func (s *supervisor) connected(e engine.Connected) {
	if s.want == nil || s.state == messages.EngineCleaning {
		return
	}
	s.failing = ""
	s.info = appv1.EngineStatus{Version: e.Version, APIVersion: e.APIVersion}
	s.sync = newProgress()
	s.setState(messages.EngineSyncing)
}

// sessionFailed notes a broken connection at once; the strategy restarts the session.
func (s *supervisor) sessionFailed(f messages.ChildFailed) {
	if s.failing != f.Err.Error() { // once for each reason, not once for each try
		s.Logger.Warn("engine session failed", "err", f.Err)
	}
	s.failing = f.Err.Error()
	switch s.state {
	case messages.EngineReady, messages.EngineSyncing:
		s.setState(messages.EngineDisconnected)
	case messages.EngineConnecting: // with the mirrors of a former daemon, perhaps
		if !s.graceEnds.IsZero() {
			return
		}
	default:
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

// graceOver takes the mirrors of an engine away that did not come back.
func (s *supervisor) graceOver(c actor.Context) {
	// Each failure before the engine is ready again sets a timer; one that is left
	// from an earlier break must not end the grace of this one.
	waiting := s.state == messages.EngineDisconnected || s.state == messages.EngineConnecting
	if !waiting || time.Now().Before(s.graceEnds) {
		return
	}
	if s.mirrors.empty() {
		return
	}
	s.Logger.Warn("engine did not come back, taking its mirrors away", "grace", s.Grace)
	for _, e := range s.mirrors.all() {
		s.lose(c, e)
	}
}

func (s *supervisor) stopGrace() {
	if s.grace != nil {
		s.grace.Stop()
		s.grace = nil
	}
	s.graceEnds = time.Time{}
}

func (s *supervisor) setState(state messages.EngineState) {
	if s.state != state {
		s.state = state
		s.Report(string(state))
	}
}
