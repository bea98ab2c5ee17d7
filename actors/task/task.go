// Package task runs work outside an actor's mailbox and brings its result back
// as a message, so that Receive never blocks.
//
// A goroutine outlives a restart of its actor: the mailbox and the PID stay, a
// new actor value takes over. Results are therefore bound to the Runner that
// started them, and a new incarnation drops those of its predecessor.
package task

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// Runner starts goroutines for one incarnation of one actor. Make it when
// *actor.Started arrives; Stop it on *actor.Stopping and *actor.Restarting. Its
// methods must be called from Receive only.
type Runner struct {
	ctx    context.Context
	cancel context.CancelFunc
	self   *actor.PID
	root   *actor.RootContext
}

// Done brings the result of a task to the actor that started it.
type Done struct {
	from     *Runner
	value    any
	panicked error
}

// String says what kind of result it is, for a log.
func (d Done) String() string {
	if d.panicked != nil {
		return "task that panicked"
	}
	return fmt.Sprintf("task %T", d.value)
}

// NewRunner makes a Runner for the actor whose context this is.
func NewRunner(c actor.Context) *Runner {
	ctx, cancel := context.WithCancel(context.Background())
	return &Runner{ctx: ctx, cancel: cancel, self: c.Self(), root: c.ActorSystem().Root}
}

// Context ends when the Runner is stopped.
func (r *Runner) Context() context.Context { return r.ctx }

// Stop cancels every task. Results that are still on their way are dropped.
func (r *Runner) Stop() { r.cancel() }

// NoDeadline is the timeout of a task that bounds its work itself.
const NoDeadline time.Duration = 0

// Go runs f with a deadline and delivers its result as a Done message. What it
// returns ends the context of f early; the result is delivered all the same.
func (r *Runner) Go(timeout time.Duration, f func(context.Context) any) context.CancelFunc {
	ctx, cancel := context.WithCancel(r.ctx)
	if timeout != NoDeadline {
		ctx, cancel = context.WithTimeout(r.ctx, timeout)
	}
	go func() {
		defer cancel()
		r.deliver(r.run(ctx, f))
	}()
	return cancel
}

// Loop runs f until it returns or the Runner stops. f reports through send,
// which delivers one Done message for each call; its result is delivered too,
// unless it is nil.
func (r *Runner) Loop(f func(ctx context.Context, send func(any)) any) {
	go func() {
		d := r.run(r.ctx, func(ctx context.Context) any { return f(ctx, r.Send) })
		if d.value != nil || d.panicked != nil {
			r.deliver(d)
		}
	}()
}

// Send delivers v as a Done message. Unlike the other methods it may be called
// from any goroutine.
func (r *Runner) Send(v any) { r.deliver(Done{from: r, value: v}) }

// After delivers v as a Done message after d, unless the timer or the Runner
// is stopped before.
func (r *Runner) After(d time.Duration, v any) *time.Timer {
	return time.AfterFunc(d, func() { r.Send(v) })
}

// Take opens a Done message. It answers false for a result of a former
// incarnation. A panic inside the task is raised again here, so that it fails
// the actor and not the process.
func (r *Runner) Take(d Done) (any, bool) {
	if r == nil || d.from != r || r.ctx.Err() != nil {
		return nil, false
	}
	if d.panicked != nil {
		panic(d.panicked)
	}
	return d.value, true
}

func (r *Runner) deliver(d Done) {
	if r.ctx.Err() == nil {
		r.root.Send(r.self, d)
	}
}

// Safely runs f and returns a panic in it as an error. Use it for a goroutine
// that a task starts beside its own: a panic there would end the process.
func Safely(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic in a task: %v\n%s", p, debug.Stack())
		}
	}()
	return f()
}

func (r *Runner) run(ctx context.Context, f func(context.Context) any) (d Done) {
	d.from = r
	d.panicked = Safely(func() error {
		d.value = f(ctx)
		return nil
	})
	return d
}
