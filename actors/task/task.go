// Package task runs work outside the mailbox of an actor and delivers its result as a
// message, so that Receive never blocks.
//
// A goroutine keeps running when its actor restarts: the new incarnation has the same
// mailbox and PID. Therefore a result is bound to the Runner that started the work, and
// the next incarnation drops the results of the previous one.
package task

import (
	"context"
	"fmt"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/async"
)

// Runner starts goroutines for one incarnation of one actor. Create it when
// *actor.Started arrives, and stop it on *actor.Stopping and *actor.Restarting. Each
// result arrives as a Done message.
type Runner struct{ *async.Runner }

// Done carries the result of a task to the actor that started the task.
type Done struct {
	from   *Runner
	result async.Result
}

// String returns the kind of the result, for a log.
func (d Done) String() string {
	if d.result.Err != nil {
		return "task that panicked"
	}
	return fmt.Sprintf("task %T", d.result.Value)
}

// NewRunner returns a Runner for the actor of this context.
func NewRunner(c actor.Context) *Runner {
	self, root := c.Self(), c.ActorSystem().Root
	r := &Runner{}
	r.Runner = async.NewRunner(context.Background(), func(result async.Result) {
		root.Send(self, Done{from: r, result: result})
	})
	return r
}

// Take returns the result that a Done message carries. It returns false for a result of
// a previous incarnation. It repeats a panic of the task, so that the panic fails the
// actor and not the process.
func (r *Runner) Take(d Done) (any, bool) {
	if r == nil || d.from != r || r.Context().Err() != nil {
		return nil, false
	}
	if d.result.Err != nil {
		panic(d.result.Err)
	}
	return d.result.Value, true
}
