package dockersim

import (
	"context"
	"strconv"
	"strings"
	"time"
)

// StartContainer starts a container, as docker start does.
func (e *Engine) StartContainer(ref string) error { return done(e.withContainer(ref, e.start)) }

// StopContainer stops a container, as docker stop does.
func (e *Engine) StopContainer(ref string) error {
	return done(e.stop(context.Background(), ref))
}

// KillContainer kills a container, as docker kill does.
func (e *Engine) KillContainer(ref string) error { return done(e.withContainer(ref, e.kill)) }

// PauseContainer pauses a container, as docker pause does.
func (e *Engine) PauseContainer(ref string) error { return e.withContainer(ref, e.pause) }

// UnpauseContainer resumes a container, as docker unpause does.
func (e *Engine) UnpauseContainer(ref string) error { return e.withContainer(ref, e.unpause) }

// RenameContainer renames a container, as docker rename does.
func (e *Engine) RenameContainer(ref, name string) error {
	return e.withContainer(ref, func(c *container) error { return e.rename(c, name) })
}

// RemoveContainer removes a container, as docker rm does.
func (e *Engine) RemoveContainer(ref string, force bool) error {
	return e.withContainer(ref, func(c *container) error { return e.remove(c, force, false) })
}

// Die ends the process of a running container with this exit code.
func (e *Engine) Die(ref string, exitCode int) error {
	return e.withContainer(ref, func(c *container) error {
		if !c.running {
			return errNotRunning(c)
		}
		e.die(c, exitCode)
		return nil
	})
}

// OOM ends the process of a running container for want of memory.
func (e *Engine) OOM(ref string) error {
	return e.withContainer(ref, func(c *container) error {
		if !c.running {
			return errNotRunning(c)
		}
		c.oomKilled = true
		e.containerEvent(c, "oom")
		e.die(c, exitKilled)
		return nil
	})
}

// Crash ends the process of a running container that a restart policy is
// about to start again: until the next StartContainer it is restarting.
func (e *Engine) Crash(ref string, exitCode int) error {
	return e.withContainer(ref, func(c *container) error {
		if !c.running {
			return errNotRunning(c)
		}
		e.ended(c, exitCode)
		c.running, c.restarting = true, true
		return nil
	})
}

// SetStartError changes what each start of a container fails with; empty is
// success.
func (e *Engine) SetStartError(ref, words string) error {
	return e.withContainer(ref, func(c *container) error {
		c.spec.StartError = words
		return nil
	})
}

// Connect adds a running container to its network or removes it, as docker network
// connect and disconnect do.
func (e *Engine) Connect(ref string, joined bool) error {
	return e.withContainer(ref, func(c *container) error {
		if !c.running {
			return errNotRunning(c)
		}
		c.disconnected = !joined
		e.networkEvent(c, map[bool]string{true: "connect", false: "disconnect"}[joined])
		return nil
	})
}

// FailRemoval is a docker rm --force that fails half way: the container is being
// removed until the returned function is called, which sends no event, and is then
// dead.
func (e *Engine) FailRemoval(ref string) (fail func(), err error) {
	var target *container
	err = e.withContainer(ref, func(c *container) error {
		target, c.removing = c, true
		if c.running {
			e.containerEvent(c, "kill", "signal", "9")
			e.ended(c, exitKilled)
		}
		return nil
	})
	return func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		target.removing, target.dead = false, true
	}, err
}

func (e *Engine) networkEvent(c *container, action string) {
	e.emit("network", action, networkID, map[string]string{"container": c.id, "name": "bridge", "type": "bridge"})
}

func (e *Engine) withContainer(ref string, do func(*container) error) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	c, err := e.findContainer(ref)
	if err != nil {
		return err
	}
	return do(c)
}

func errNotRunning(c *container) error { return conflict("Container %s is not running", c.id) }

// start sends no event of the container when it fails, as in dockerd: only those
// of its network, before the error and the exit code can be read.
func (e *Engine) start(c *container) error {
	switch {
	case c.paused:
		return conflict("cannot start a paused container, try unpause instead")
	case c.running && !c.restarting:
		return errNotModified
	case c.spec.StartError != "":
		c.exitCode, c.startError = 127, c.spec.StartError
		e.networkEvent(c, "connect")
		e.networkEvent(c, "disconnect")
		return systemError("%s", c.spec.StartError)
	}
	c.disconnected = false
	e.networkEvent(c, "connect")
	for _, name := range c.spec.Volumes {
		e.emit("volume", "mount", name, map[string]string{
			"container": c.id, "destination": "/" + name, "driver": "local", "propagation": "", "read/write": "true"})
	}
	e.serial++
	c.running, c.restarting, c.paused, c.oomKilled = true, false, false, false
	c.pid, c.exitCode, c.startError, c.started = 1000+int(e.serial), 0, "", e.now()
	e.containerEvent(c, "start")
	return nil
}

// stop waits for the process without the lock.
func (e *Engine) stop(ctx context.Context, ref string) error {
	var delay time.Duration
	var target *container
	err := e.withContainer(ref, func(c *container) error {
		switch {
		case !c.running:
			return errNotModified
		case c.restarting:
			c.exit(c.finished, c.exitCode)
			e.containerEvent(c, "stop")
			return nil
		}
		e.containerEvent(c, "kill", "signal", "15")
		if c.paused {
			c.paused = false
			e.containerEvent(c, "unpause")
		}
		target, delay = c, c.spec.StopDelay
		return nil
	})
	if err != nil || target == nil {
		return err
	}
	if delay > 0 {
		timer := time.NewTimer(delay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			// dockerd goes on when its client has left.
			<-timer.C
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if target.running {
		e.ended(target, exitTerminated)
	}
	if e.containers[target.id] != nil {
		e.containerEvent(target, "stop")
		e.autoRemove(target)
	}
	return nil
}

func (e *Engine) kill(c *container) error {
	switch {
	case !c.running:
		return conflict("Cannot kill container: %s: Container %s is not running", c.name, c.id)
	case c.restarting:
		// No process runs, and so there is no event either.
		c.exit(c.finished, c.exitCode)
		return nil
	}
	e.containerEvent(c, "kill", "signal", "9")
	e.die(c, exitKilled)
	return nil
}

func (e *Engine) pause(c *container) error {
	switch {
	case !c.running:
		return errNotRunning(c)
	case c.restarting:
		return conflict("Container %s is restarting, wait until the container is running", c.id)
	case c.paused:
		return conflict("Container %s is already paused", c.id)
	}
	c.paused = true
	e.containerEvent(c, "pause")
	return nil
}

func (e *Engine) unpause(c *container) error {
	if !c.paused {
		return systemError("Container %s is not paused", c.id)
	}
	c.paused = false
	e.containerEvent(c, "unpause")
	return nil
}

func (e *Engine) rename(c *container, name string) error {
	name = strings.TrimPrefix(name, "/")
	if name == c.name {
		return badRequest("Renaming a container with the same name as its current name")
	}
	if err := e.checkName(name); err != nil {
		return err
	}
	old := c.name
	delete(e.names, old)
	c.name = name
	e.names[name] = c.id
	e.containerEvent(c, "rename", "oldName", "/"+old)
	return nil
}

func (e *Engine) remove(c *container, force, volumes bool) error {
	switch {
	case c.running && !force && c.paused:
		return conflict("You cannot remove a paused container %s. Unpause and then stop the container before attempting removal or force remove", c.id)
	case c.running && !force && c.restarting:
		return conflict("You cannot remove a restarting container %s. Stop the container before attempting removal or force remove", c.id)
	case c.running && !force:
		return conflict("You cannot remove a running container %s. Stop the container before attempting removal or force remove", c.id)
	case c.running && !c.restarting:
		e.containerEvent(c, "kill", "signal", "9")
		e.ended(c, exitKilled)
	}
	e.destroy(c)
	if !volumes {
		return nil
	}
	for _, name := range c.spec.Volumes {
		if v, ok := e.volumes[name]; ok && v.anonymous {
			// One that another container uses stays.
			_ = e.deleteVolume(name, false)
		}
	}
	return nil
}

func (e *Engine) destroy(c *container) {
	delete(e.containers, c.id)
	delete(e.names, c.name)
	e.containerEvent(c, "destroy")
}

// die is the end of a process that nobody waits for.
func (e *Engine) die(c *container, exitCode int) {
	e.ended(c, exitCode)
	e.autoRemove(c)
}

func (e *Engine) autoRemove(c *container) {
	if c.spec.AutoRemove {
		e.destroy(c)
	}
}

func (e *Engine) ended(c *container, exitCode int) {
	c.exit(e.now(), exitCode)
	e.containerEvent(c, "die", "exitCode", strconv.Itoa(exitCode))
	e.networkEvent(c, "disconnect")
	for _, name := range c.spec.Volumes {
		e.emit("volume", "unmount", name, map[string]string{"container": c.id, "driver": "local"})
	}
}

// networkID is the ID of the one network.
const networkID = "3adedac87347f527b3b28b106b73b6ccc60169fc6008d2f5d3ef39631111eae3"
