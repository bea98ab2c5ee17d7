package supervisor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// openTimeout bounds the wait for the engine supervisor, which may restart.
const openTimeout = 3 * time.Second

// wakeTimeout bounds the wait for an engine that was stopped because it was idle, and
// wakePause is the pause between two questions for it.
const (
	wakeTimeout = 5 * time.Minute
	wakePause   = 500 * time.Millisecond
)

// openEngine returns the connected engine, for a handler of the API server.
func (d *daemon) openEngine(ctx context.Context) (engine.Connection, error) {
	return openEngine(ctx, d.system)
}

// openEngine waits for an engine that was stopped because it was idle, and that it starts.
func openEngine(ctx context.Context, system *actor.ActorSystem) (engine.Connection, error) {
	isWaking := false
	for began := time.Now(); ; {
		opened, err := askEngine(ctx, system)
		if err != nil {
			return engine.Connection{}, err
		}
		isWaking = isWaking || opened.Waking
		if opened.Engine != nil || !isWaking || time.Since(began) > wakeTimeout {
			return engine.Connection{Engine: opened.Engine, Lost: opened.Lost}, opened.Err
		}
		select {
		case <-ctx.Done():
			return engine.Connection{}, opened.Err
		case <-time.After(wakePause):
		}
	}
}

func askEngine(ctx context.Context, system *actor.ActorSystem) (messages.EngineOpened, error) {
	timeout := openTimeout
	if deadline, ok := ctx.Deadline(); ok {
		timeout = min(timeout, time.Until(deadline))
	}
	supervisor := system.NewLocalPID(rootName + "/" + engineName)
	answer, err := system.Root.RequestFuture(supervisor, messages.OpenEngine{}, timeout).Result()
	if err != nil {
		return messages.EngineOpened{}, fmt.Errorf("no container engine is connected: rdd is starting or stopping (%w): retry in a few seconds", err)
	}
	opened, ok := answer.(messages.EngineOpened)
	if !ok {
		return messages.EngineOpened{}, errors.New("no container engine is connected: the engine supervisor gave an unexpected reply: report it with 'rdd support-bundle'")
	}
	return opened, nil
}
