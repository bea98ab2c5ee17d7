package engine

import (
	"context"
	"errors"
	"fmt"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// opened returns the connected engine for work that no mirror does, such as streams and
// requests. Without a connection it says why there is none.
func (s *supervisor) opened() messages.EngineOpened {
	out := messages.EngineOpened{}
	if s.desired != nil {
		out.Namespace = s.desired.Namespace
	}
	if s.isMirroring() && s.connection == connected && s.client != nil {
		out.Engine, out.Lost = s.client, s.lost
		return out
	}
	out.Err, out.Waking = s.unopened(), s.isSuspended
	return out
}

// unopened says why there is no connected engine, and what to do.
func (s *supervisor) unopened() error {
	const wait = "wait until 'rdd status' shows the engine as ready"
	switch {
	case s.seq == 0:
		return errors.New("no container engine is connected: rdd is starting: retry in a few seconds")
	case s.isSuspended:
		return errors.New("no container engine is connected: rdd starts the VM, which it stopped because it was idle: " + wait)
	case s.desired == nil:
		return errors.New("no container engine is connected, because none is running: run 'rdd start'")
	case s.isReplacing():
		return errors.New("no container engine is connected: rdd removes the mirrors of the previous one first: " + wait)
	case s.failure != "":
		return fmt.Errorf("no container engine is connected: %s: %s", s.failure, wait)
	default:
		return errors.New("no container engine is connected: rdd is connecting: " + wait)
	}
}

// holdConnection begins the time for which streams and requests can use the engine.
func (s *supervisor) holdConnection() {
	if s.lost == nil || s.lost.Err() != nil {
		s.lost, s.endLost = context.WithCancelCause(context.Background())
	}
}

// endConnection ends the streams of a connection, with the reason. A frozen engine would
// never end them.
func (s *supervisor) endConnection(why string) {
	if s.endLost != nil {
		s.endLost(engine.LostError{Why: why})
	}
}
