package engine_test

import (
	"context"
	"errors"
	"testing"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
)

func TestConnectionWhileEndsWhenLost(t *testing.T) {
	lost, end := context.WithCancelCause(t.Context())
	c := engine.Connection{Lost: lost}
	ended, stopEnded := c.While(t.Context())
	stopEnded()
	if ended.Err() == nil {
		t.Error("the context does not end with its use")
	}
	while, stop := c.While(t.Context())
	defer stop()
	if while.Err() != nil {
		t.Fatal("the context ends before the connection")
	}
	end(engine.LostError{Why: "the engine is silent"})
	<-while.Done()
	if err := context.Cause(while); !engine.IsUnreachable(err) || err.Error() != "the engine is silent: retry when 'rdd status' shows the engine as ready" {
		t.Errorf("the cause is %v", err)
	}
	late, stopLate := c.While(t.Context())
	defer stopLate()
	<-late.Done()
}

func TestConnectionWhileEndsWithContext(t *testing.T) {
	for name, c := range map[string]engine.Connection{"connected": {Lost: t.Context()}, "unknown": {}} {
		ctx, cancel := context.WithCancelCause(t.Context())
		while, stop := c.While(ctx)
		defer stop()
		cause := errors.New("the client has left")
		cancel(cause)
		<-while.Done()
		if err := context.Cause(while); !errors.Is(err, cause) {
			t.Errorf("%s: the cause is %v", name, err)
		}
	}
}
