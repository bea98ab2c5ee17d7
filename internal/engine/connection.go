package engine

import (
	"context"
	"fmt"
)

// Connection is a connected engine, and the time for which it is connected.
type Connection struct {
	Engine
	// Lost ends when the engine is no longer connected: its connection broke, it stopped
	// answering, or rdd disconnected. The cause says which, for users. Calls to a frozen
	// engine do not end by themselves. Nil never ends.
	Lost context.Context
}

// While returns a context that also ends when the connection is lost, with its cause. The
// caller calls stop when the context is no longer used.
func (c Connection) While(ctx context.Context) (while context.Context, stop func()) {
	while, cancel := context.WithCancelCause(ctx)
	if c.Lost == nil {
		return while, func() { cancel(nil) }
	}
	release := context.AfterFunc(c.Lost, func() { cancel(context.Cause(c.Lost)) })
	return while, func() {
		release()
		cancel(nil)
	}
}

// LostError is the cause of the end of a connection. It is of the class of ErrUnreachable.
type LostError struct {
	// Why the connection has ended.
	Why string
}

// Error implements error.
func (e LostError) Error() string {
	return fmt.Sprintf("%s: retry when 'rdd status' shows the engine as ready", e.Why)
}

// Unwrap returns the class of the error.
func (e LostError) Unwrap() error { return ErrUnreachable }
