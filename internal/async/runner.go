package async

import (
	"context"
	"sync"
	"time"
)

// NoDeadline is the timeout of work that bounds itself.
const NoDeadline time.Duration = 0

// Result is what a goroutine of a Runner delivers.
type Result struct {
	Value any
	// Err is the panic that ended the work.
	Err error
}

// Runner starts goroutines and delivers their results. It is safe for concurrent
// use.
type Runner struct {
	ctx     context.Context
	cancel  context.CancelFunc
	deliver func(Result)
	started sync.WaitGroup
}

// NewRunner returns a Runner whose work ends with ctx. Deliver is called from many
// goroutines at once, and not after Stop.
func NewRunner(ctx context.Context, deliver func(Result)) *Runner {
	r := &Runner{}
	r.ctx, r.cancel = context.WithCancel(ctx)
	r.deliver = func(result Result) {
		if r.ctx.Err() == nil {
			deliver(result)
		}
	}
	return r
}

// Context ends when the Runner is stopped.
func (r *Runner) Context() context.Context { return r.ctx }

// Stop cancels all work and drops the results that were not delivered yet.
func (r *Runner) Stop() { r.cancel() }

// Wait returns when every goroutine has ended. Call Stop first.
func (r *Runner) Wait() { r.started.Wait() }

// Go runs f with a deadline and delivers its result. The function that Go returns
// ends the context of f early; the result is delivered all the same.
func (r *Runner) Go(timeout time.Duration, f func(context.Context) any) context.CancelFunc {
	var ctx context.Context
	var cancel context.CancelFunc
	if timeout == NoDeadline {
		ctx, cancel = context.WithCancel(r.ctx)
	} else {
		ctx, cancel = context.WithTimeout(r.ctx, timeout)
	}
	r.started.Go(func() {
		defer cancel()
		r.deliver(run(ctx, f))
	})
	return cancel
}

// Loop runs f until it returns or the Runner is stopped. Each call of send delivers
// one value. The result of f is delivered too, unless it is nil.
func (r *Runner) Loop(f func(ctx context.Context, send func(any)) any) {
	r.started.Go(func() {
		result := run(r.ctx, func(ctx context.Context) any { return f(ctx, r.Send) })
		if result.Value != nil || result.Err != nil {
			r.deliver(result)
		}
	})
}

// Send delivers v.
func (r *Runner) Send(v any) { r.deliver(Result{Value: v}) }

// After delivers v after d, unless the timer or the Runner is stopped before.
func (r *Runner) After(d time.Duration, v any) *time.Timer {
	return time.AfterFunc(d, func() { r.Send(v) })
}

func run(ctx context.Context, f func(context.Context) any) (result Result) {
	result.Err = Safely(func() error {
		result.Value = f(ctx)
		return nil
	})
	return result
}
