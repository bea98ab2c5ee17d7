package async

import (
	"context"
	"fmt"
	"time"
)

// WithPatience returns a context that ends when progressed was not called for that
// long. The cause names what made no progress.
func WithPatience(ctx context.Context, patience time.Duration, what string) (waiting context.Context, progressed, end func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	timer := time.AfterFunc(patience, func() { cancel(fmt.Errorf("%s made no progress for %s", what, patience)) })
	return ctx, func() { timer.Reset(patience) }, func() { timer.Stop(); cancel(nil) }
}
