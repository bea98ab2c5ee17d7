package messages

import (
	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
)

// SessionStarted reports to the engine supervisor that a session started. The answer
// is BeginWatch.
type SessionStarted struct{}

// BeginWatch asks the session to watch the engine.
type BeginWatch struct {
	// Known are the mirrors as they were last read.
	Known []containersv1.Mirror
}

// SessionEvent forwards what the watch of the engine reported to the engine supervisor.
type SessionEvent struct{ Event engine.Event }

func (SessionStarted) toEngine() {}
func (BeginWatch) toSession()    {}
func (SessionEvent) toEngine()   {}
