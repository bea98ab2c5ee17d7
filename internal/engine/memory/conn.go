package memory

import (
	"context"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
)

// conn is a connection to the engine in the same process.
type conn struct {
	engine *Engine
	open   context.Context
	close  context.CancelFunc
}

// Dial returns a connection to the engine.
func (e *Engine) Dial() engine.Engine {
	c := &conn{engine: e}
	c.open, c.close = context.WithCancel(context.Background())
	return c
}

var errClosed = fmt.Errorf("the connection to the engine is closed: %w", engine.ErrUnreachable)

// errDown is the error of an engine that does not listen, errEnded that of a watch
// whose connection broke.
var (
	errDown  = fmt.Errorf("connect to the engine in memory: %w", engine.ErrUnreachable)
	errEnded = fmt.Errorf("watch the engine in memory: %w", engine.ErrUnreachable)
)

// SetDown makes the calls of connections fail as those to an engine that does not
// listen, and ends watches and event streams.
func (e *Engine) SetDown(down bool) {
	func() {
		defer e.lock()()
		e.down = down
	}()
	if down {
		e.CloseStreams()
	}
}

// ready returns an error when no call can reach the engine.
func (c *conn) ready(ctx context.Context) error {
	if c.open.Err() != nil {
		return errClosed
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	defer c.engine.lock()()
	if c.engine.down {
		return errDown
	}
	return nil
}

// Get implements engine.Engine.
func (c *conn) Get(ctx context.Context, key engine.Key) (containersv1.Mirror, error) {
	if err := c.ready(ctx); err != nil {
		return nil, err
	}
	defer c.engine.lock()()
	return c.engine.get(key)
}

// Do implements engine.Engine.
func (c *conn) Do(ctx context.Context, key engine.Key, verb engine.Verb) error {
	if err := c.ready(ctx); err != nil {
		return err
	}
	switch {
	case verb == engine.VerbRemove:
		defer c.engine.lock()()
		return c.engine.removeObject(key)
	case key.Kind != containersv1.KindContainer:
	case verb == engine.VerbStart:
		return c.engine.withContainer(key.ID, c.engine.startOrResume)
	case verb == engine.VerbStop:
		return c.engine.stopOnce(ctx, key.ID)
	case verb == engine.VerbPause:
		return c.engine.PauseContainer(key.ID)
	case verb == engine.VerbUnpause:
		return c.engine.UnpauseContainer(key.ID)
	case verb == engine.VerbKill:
		return c.engine.KillContainer(key.ID)
	}
	return notImplemented(key, verb)
}

// Restart implements engine.Engine.
func (c *conn) Restart(ctx context.Context, key engine.Key, startedAt *metav1.MicroTime) error {
	if err := c.ready(ctx); err != nil {
		return err
	}
	if key.Kind != containersv1.KindContainer {
		return notImplemented(key, "restart")
	}
	return c.engine.restartOnce(ctx, key.ID, startedAt)
}

// Close implements engine.Engine.
func (c *conn) Close() error {
	c.close()
	return nil
}
