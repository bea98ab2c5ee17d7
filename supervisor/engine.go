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

// openEngine returns the connected engine, for a handler of the API server.
func (d *daemon) openEngine(ctx context.Context) (engine.Connection, error) {
	return openEngine(ctx, d.system)
}

func openEngine(ctx context.Context, system *actor.ActorSystem) (engine.Connection, error) {
	timeout := openTimeout
	if deadline, ok := ctx.Deadline(); ok {
		timeout = min(timeout, time.Until(deadline))
	}
	supervisor := system.NewLocalPID(rootName + "/" + engineName)
	answer, err := system.Root.RequestFuture(supervisor, messages.OpenEngine{}, timeout).Result()
	if err != nil {
		return engine.Connection{}, fmt.Errorf("no container engine is connected: rdd is starting or stopping (%w): retry in a few seconds", err)
	}
	opened, ok := answer.(messages.EngineOpened)
	if !ok {
		return engine.Connection{}, errors.New("no container engine is connected: the engine supervisor did not understand the question: please report it")
	}
	return engine.Connection{Engine: opened.Engine, Lost: opened.Lost}, opened.Err
}
