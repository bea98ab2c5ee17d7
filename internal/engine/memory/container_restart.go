package memory

import (
	"context"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// RestartContainer restarts a container, as docker restart does, and returns when it
// has started. Like dockerd, the engine carries out the restart when ctx ends before.
func (e *Engine) RestartContainer(ctx context.Context, ref string) error {
	delay, id, err := e.BeginRestart(ref)
	if err != nil || id == "" {
		return err
	}
	ended := make(chan error, 1)
	time.AfterFunc(delay, func() { ended <- e.EndRestart(id) })
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// BeginRestart is the first half of docker restart: the stop signal. It returns the ID,
// and how long the process takes to end; the caller calls EndRestart after that. The ID
// is empty when there was no process to wait for, and the container has started.
func (e *Engine) BeginRestart(ref string) (delay time.Duration, id string, err error) {
	err = e.withContainer(ref, func(c *Container) error {
		if !e.sendStop(c) {
			return e.restarted(c)
		}
		delay, id = c.Spec.StopDelay, c.ID
		return nil
	})
	return delay, id, err
}

// EndRestart is the second half of docker restart. A container that was started since the
// signal is left alone.
func (e *Engine) EndRestart(id string) error {
	return e.withContainer(id, func(c *Container) error {
		if e.endSignalled(c) {
			e.containerEvent(c, "stop")
		}
		return e.restarted(c)
	})
}

// restarted starts a container whose former run has ended.
func (e *Engine) restarted(c *Container) error {
	if err := e.start(c); err != nil {
		return err
	}
	e.containerEvent(c, "restart")
	return nil
}

// restartOnce restarts a container unless it has started since startedAt. It sends no
// second signal while a stop or a restart is under way.
func (e *Engine) restartOnce(ctx context.Context, id string, startedAt *metav1.MicroTime) error {
	for {
		ended, err := e.joinOrRestart(id, startedAt)
		if err != nil || ended == nil {
			return err
		}
		select {
		case <-ended:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// joinOrRestart begins a restart, or joins a stop that is under way. It returns nil when
// the container has started since startedAt, and otherwise a channel that is closed when
// the run has ended.
func (e *Engine) joinOrRestart(id string, startedAt *metav1.MicroTime) (ended chan struct{}, err error) {
	err = e.withContainer(id, func(c *Container) error {
		if !microTime(c.Started).Equal(startedAt) {
			return nil
		}
		if ended = e.stops[c.ID]; ended != nil {
			return nil
		}
		if !e.sendStop(c) {
			return e.restarted(c)
		}
		ended = make(chan struct{})
		e.stops[c.ID] = ended
		time.AfterFunc(c.Spec.StopDelay, func() { e.endRestartOnce(c.ID) })
		return nil
	})
	return ended, err
}

func (e *Engine) endRestartOnce(id string) {
	_ = e.EndRestart(id) // the caller starts it again, and gets the error
	defer e.lock()()
	close(e.stops[id])
	delete(e.stops, id)
}
