// Package task runs work outside an actor's mailbox and delivers its result as a
// message, so that Receive never blocks.
//
// A goroutine outlives a restart of its actor: the mailbox and the PID stay, and a
// new actor value takes over. So a result is bound to the Runner that started the
// work, and the next incarnation drops the results of the previous one.
package task

import (
	"context"
	"fmt"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/async"
)

// Runner starts goroutines for one incarnation of one actor. Make it when
// *actor.Started arrives; Stop it on *actor.Stopping and *actor.Restarting. Each
// result arrives as a Done message.
type Runner struct{ *async.Runner }

// Done carries the result of a task to the actor that started the task.
type Done struct {
	from   *Runner
	result async.Result
}

// String says what kind of result it is, for a log.
func (d Done) String() string {
	if d.result.Err != nil {
		return "task that panicked"
	}
	return fmt.Sprintf("task %T", d.result.Value)
}

// NewRunner makes a Runner for the actor whose context this is.
func NewRunner(c actor.Context) *Runner {
	self, root := c.Self(), c.ActorSystem().Root
	r := &Runner{}
	r.Runner = async.NewRunner(context.Background(), func(result async.Result) {
		root.Send(self, Done{from: r, result: result})
	})
	return r
}

// Take opens a Done message. It returns false for a result of a previous
// incarnation. It repeats a panic of the task, which so fails the actor and not the
// process.
func (r *Runner) Take(d Done) (any, bool) {
	if r == nil || d.from != r || r.Context().Err() != nil {
		return nil, false
	}
	if d.result.Err != nil {
		panic(d.result.Err)
	}
	return d.result.Value, true
}
