package memory

import (
	"context"
	"strconv"
	"time"
)

// StopContainer stops a container, as docker stop does, and returns when the process
// has ended. One that does not run is left alone. Like dockerd, the engine carries
// out the stop when ctx ends before.
func (e *Engine) StopContainer(ctx context.Context, ref string) error {
	delay, id, err := e.BeginStop(ref)
	if err != nil || id == "" {
		return err
	}
	if delay == 0 {
		e.EndStop(id)
		return nil
	}
	ended := make(chan struct{})
	time.AfterFunc(delay, func() {
		defer close(ended)
		e.EndStop(id)
	})
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// BeginStop is the first half of docker stop: the signal. It returns the ID, and how
// long the process takes to end; the caller calls EndStop after that. The ID is empty
// when there is no process to wait for.
func (e *Engine) BeginStop(ref string) (delay time.Duration, id string, err error) {
	err = e.withContainer(ref, func(c *Container) error {
		if e.sendStop(c) {
			delay, id = c.Spec.StopDelay, c.ID
		}
		return nil
	})
	return delay, id, err
}

// sendStop sends the stop signal, and reports whether there is a process to wait for.
func (e *Engine) sendStop(c *Container) bool {
	switch {
	case !c.Running:
		return false
	case c.Restarting:
		c.exit(c.Finished, c.ExitCode)
		e.containerEvent(c, "stop")
		return false
	}
	e.containerEvent(c, "kill", "signal", "15")
	c.signalled = c.Started
	if c.Paused {
		e.unpause(c)
	}
	return true
}

// stopOnce stops a container, and sends no second signal while a stop is under way.
func (e *Engine) stopOnce(ctx context.Context, id string) error {
	var ended chan struct{}
	err := e.withContainer(id, func(c *Container) error {
		if !c.Running {
			return nil // it was killed during the stop
		}
		if ended = e.stops[c.ID]; ended != nil || !e.sendStop(c) {
			return nil
		}
		ended = make(chan struct{})
		e.stops[c.ID] = ended
		time.AfterFunc(c.Spec.StopDelay, func() { e.endStopOnce(c.ID) })
		return nil
	})
	if err != nil || ended == nil {
		return err
	}
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (e *Engine) endStopOnce(id string) {
	e.EndStop(id)
	defer e.lock()()
	close(e.stops[id])
	delete(e.stops, id)
}

// EndStop is the second half of docker stop. A run that began after the signal continues.
func (e *Engine) EndStop(id string) {
	_ = e.withContainer(id, func(c *Container) error {
		if !e.endSignalled(c) && c.Running {
			return nil
		}
		e.containerEvent(c, "stop")
		e.autoRemove(c)
		return nil
	})
}

// KillContainer kills a container, as docker kill does.
func (e *Engine) KillContainer(ref string) error {
	return e.withContainer(ref, func(c *Container) error {
		switch {
		case !c.Running:
			return conflict("Cannot kill container: %s: Container %s is not running", c.Name, c.ID)
		case c.Restarting:
			// No process runs, and so there is no event.
			c.exit(c.Finished, c.ExitCode)
			e.changedUnreported(c)
			return nil
		}
		e.containerEvent(c, "kill", "signal", "9")
		e.die(c, exitKilled)
		return nil
	})
}

// endSignalled ends the run that got the stop signal, and reports whether it still ran.
func (e *Engine) endSignalled(c *Container) bool {
	if !c.Running || !c.signalled.Equal(c.Started) {
		return false
	}
	e.ended(c, exitTerminated)
	return true
}

// Die ends the process of a running container with this exit code.
func (e *Engine) Die(ref string, exitCode int) error {
	return e.withProcess(ref, func(c *Container) { e.die(c, exitCode) })
}

// Crash ends the process of a running container that a restart policy is about to
// start again: until the next StartContainer the container is restarting.
func (e *Engine) Crash(ref string, exitCode int) error {
	return e.withProcess(ref, func(c *Container) {
		e.ended(c, exitCode)
		c.Running, c.Restarting = true, true
		c.RestartCount++
	})
}

func (e *Engine) withProcess(ref string, do func(*Container)) error {
	return e.withContainer(ref, func(c *Container) error {
		if !c.Running || c.Restarting {
			return errNotRunning(c)
		}
		do(c)
		return nil
	})
}

// RemoveContainer removes a container, as docker rm does. Its anonymous volumes stay.
func (e *Engine) RemoveContainer(ref string, force bool) error {
	return e.withContainer(ref, func(c *Container) error { return e.remove(c, force) })
}

// RemoveContainerAndVolumes removes a container and its anonymous volumes, as docker
// rm --volumes does.
func (e *Engine) RemoveContainerAndVolumes(ref string, force bool) error {
	return e.withContainer(ref, func(c *Container) error {
		if err := e.remove(c, force); err != nil {
			return err
		}
		e.removeAnonymousVolumes(c)
		return nil
	})
}

// removeAnonymousVolumes removes the anonymous volumes of a container that is gone. A
// volume that another container uses stays.
func (e *Engine) removeAnonymousVolumes(c *Container) {
	for _, name := range c.Spec.Volumes {
		if v, ok := e.volumes[name]; ok && v.anonymous {
			_ = e.deleteVolume(name, false)
		}
	}
}

// FailRemoval is a docker rm --force that fails half way: the container is being
// removed until the returned function is called, and is then dead. No event reports
// that, and none reports the removal of a container that does not run.
func (e *Engine) FailRemoval(ref string) (fail func(), err error) {
	var id string
	var ran bool
	err = e.withContainer(ref, func(c *Container) error {
		if c.Removing || c.Spec.AutoRemove {
			return errRemoving(c)
		}
		id, ran, c.Removing = c.ID, c.Running, true
		switch {
		case ran && !c.Restarting:
			e.containerEvent(c, "kill", "signal", "9")
			e.ended(c, exitKilled)
		default:
			c.Running, c.Restarting = false, false
			e.changedUnreported(c)
		}
		return nil
	})
	return func() {
		_ = e.withContainer(id, func(c *Container) error {
			c.Removing, c.Dead = false, true
			if !ran {
				e.changedUnreported(c)
			}
			return nil
		})
	}, err
}

func errRemoving(c *Container) error {
	return conflict("removal of container %s is already in progress", c.ID)
}

func (e *Engine) remove(c *Container, force bool) error {
	if err := removalRefusal(c, force); err != nil {
		return err
	}
	if c.Running && !c.Restarting {
		e.containerEvent(c, "kill", "signal", "9")
		e.ended(c, exitKilled)
	}
	e.destroy(c)
	return nil
}

// removalRefusal returns the reason why a container cannot be removed, if there is one.
func removalRefusal(c *Container, force bool) error {
	const advice = "before attempting removal or force remove"
	switch {
	case c.Removing:
		return errRemoving(c)
	case !c.Running || force:
		return nil
	case c.Paused:
		return conflict("You cannot remove a paused container %s. Unpause and then stop the container %s", c.ID, advice)
	case c.Restarting:
		return conflict("You cannot remove a restarting container %s. Stop the container %s", c.ID, advice)
	default:
		return conflict("You cannot remove a running container %s. Stop the container %s", c.ID, advice)
	}
}

func (e *Engine) destroy(c *Container) {
	delete(e.containers, c.ID)
	delete(e.names, c.Name)
	e.containerEvent(c, "destroy")
}

// die ends a process that no call waits for.
func (e *Engine) die(c *Container, exitCode int) {
	e.ended(c, exitCode)
	e.autoRemove(c)
}

func (e *Engine) autoRemove(c *Container) {
	if c.Spec.AutoRemove {
		e.destroy(c)
		e.removeAnonymousVolumes(c)
	}
}

// ended sets the state of a container whose process has ended, and reports it.
func (e *Engine) ended(c *Container, exitCode int) {
	c.exit(e.now(), exitCode)
	e.containerEvent(c, "die", "exitCode", strconv.Itoa(exitCode))
	e.networkEvents(c, "disconnect")
	e.unmountEvents(c)
}
