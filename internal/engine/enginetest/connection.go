package enginetest

import (
	"context"
	"errors"
	"strings"
	"time"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
)

func connectionRules() []rule {
	return []rule{
		{"ContextEndEndsWatch", contextEndsWatch},
		{"CloseEndsWatch", closeEndsWatch},
		{"CallsAfterCloseFail", callsAfterCloseFail},
		{"CloseLeavesOtherConnections", closeLeavesOthers},
		{"CancelledCallIsNotUnreachable", cancelledCall},
		{"StoppedEngineEndsWatchAndIsUnreachable", stoppedEngine},
		{"RestartedEngineAnswers", restartedEngine},
	}
}

func contextEndsWatch(s *scene) {
	r := s.watch()
	r.cancel()
	if err := r.result(); !errors.Is(err, context.Canceled) {
		s.Errorf("Watch returned %v", err)
	}
}

func closeEndsWatch(s *scene) {
	r := s.watch()
	if err := s.engine.Close(); err != nil {
		s.Errorf("close: %v", err)
	}
	if err := r.result(); err == nil {
		s.Error("Watch returned no error")
	}
}

// calls makes each call once, and returns the errors.
func (s *scene) calls() map[string]error {
	_, get := s.get(volumeKey("data"))
	container := containerKey(strings.Repeat("ab", 32))
	return map[string]error{
		"Watch": s.engine.Watch(s.Context(), nil, func(engine.Event) {}),
		"Get":   get, "Remove": s.do(volumeKey("data"), engine.VerbRemove),
		"Start": s.do(container, engine.VerbStart), "Stop": s.do(container, engine.VerbStop),
		"Pause": s.do(container, engine.VerbPause), "Unpause": s.do(container, engine.VerbUnpause),
		"Kill": s.do(container, engine.VerbKill), "Restart": s.restart(container, nil),
	}
}

func callsAfterCloseFail(s *scene) {
	s.volume("data")
	s.exists(volumeKey("data"))
	_ = s.engine.Close()
	for call, err := range s.calls() {
		if err == nil || engine.IsNotFound(err) {
			s.Errorf("%s after Close: %v", call, err)
		}
	}
	_ = s.engine.Close() // is no error to call again
	s.engine = s.dial()
	s.exists(volumeKey("data"))
}

func closeLeavesOthers(s *scene) {
	closed := s.dial()
	r := s.watch()
	_ = closed.Close()
	r.sees(time.Time{}, s.volume("data"), present)
}

func cancelledCall(s *scene) {
	ctx, cancel := context.WithCancel(s.Context())
	cancel()
	if _, err := s.engine.Get(ctx, volumeKey("data")); !errors.Is(err, context.Canceled) || engine.IsUnreachable(err) {
		s.Errorf("get: %v", err)
	}
}

func stoppedEngine(s *scene) {
	s.exists(s.volume("data"))
	r := s.watch()
	s.StopEngine()
	if err := r.result(); !engine.IsUnreachable(err) {
		s.Errorf("Watch returned %v, want that the engine is unreachable", err)
	}
	for call, err := range s.calls() {
		if !engine.IsUnreachable(err) || engine.IsNotFound(err) || engine.IsConflict(err) {
			s.Errorf("%s: %v, want that the engine is unreachable", call, err)
		}
	}
}

func restartedEngine(s *scene) {
	key, volume := s.running(Container{}), s.volume("data")
	autoRemoved := s.running(Container{Name: "once", Image: appTag, AutoRemove: true})
	s.StopEngine()
	s.StartEngine()
	s.exists(volume)
	if state := s.state(key); state != containersv1.ContainerExited {
		s.Errorf("the container is %s", state)
	}
	s.isRemovedSoon(autoRemoved)
	r := s.watch()
	r.sees(time.Time{}, key, isIn(containersv1.ContainerExited))
}
