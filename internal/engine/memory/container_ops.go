package memory

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// StartContainer starts a container, as docker start does. One that runs is left
// alone. A start that fails has no event but those of networks and volumes.
func (e *Engine) StartContainer(ref string) error { return e.withContainer(ref, e.start) }

// PauseContainer pauses a container, as docker pause does.
func (e *Engine) PauseContainer(ref string) error { return e.withContainer(ref, e.pause) }

// UnpauseContainer resumes a container, as docker unpause does.
func (e *Engine) UnpauseContainer(ref string) error {
	return e.withContainer(ref, func(c *Container) error {
		if !c.Paused {
			return systemError("Container %s is not paused", c.ID)
		}
		e.unpause(c)
		return nil
	})
}

func (e *Engine) unpause(c *Container) {
	c.Paused = false
	e.containerEvent(c, "unpause")
}

// RenameContainer renames a container, as docker rename does.
func (e *Engine) RenameContainer(ref, name string) error {
	return e.withContainer(ref, func(c *Container) error { return e.rename(c, name) })
}

// SetStopDelay changes how long the process of a container takes to end after a stop
// signal.
func (e *Engine) SetStopDelay(ref string, delay time.Duration) error {
	return e.withContainer(ref, func(c *Container) error {
		c.Spec.StopDelay = delay
		return nil
	})
}

// SetStartError changes what each start of a container fails with; empty is
// success.
func (e *Engine) SetStartError(ref, message string) error {
	return e.withContainer(ref, func(c *Container) error {
		c.Spec.StartError = message
		return nil
	})
}

// CommitContainer makes an image of a container, as docker commit does. Without a
// tag no event of the image reports it.
func (e *Engine) CommitContainer(ref, tag string) (image string, err error) {
	err = e.withContainer(ref, func(c *Container) error {
		var tags []string
		if tag != "" {
			tags = []string{tag}
		}
		image, err = e.createImage(ImageSpec{Parent: c.ImageID, Tags: tags, Labels: c.Labels})
		if err == nil {
			e.containerEvent(c, "commit", "imageID", image, "imageRef", tag, "comment", "")
		}
		return err
	})
	return image, err
}

// withContainer runs a command on a container, and marks the container as changed.
func (e *Engine) withContainer(ref string, do func(*Container) error) error {
	defer e.lock()()
	c, err := e.findContainer(ref)
	if err != nil {
		return err
	}
	err = do(c)
	e.changedContainer(c)
	return err
}

func errNotRunning(c *Container) error { return conflict("Container %s is not running", c.ID) }

func (e *Engine) start(c *Container) error {
	switch {
	case c.Paused:
		return conflict("cannot start a paused container, try unpause instead")
	case c.Running && !c.Restarting:
		return nil
	case c.Removing || c.Dead:
		return errMarkedForRemoval()
	}
	if len(c.networks) == 0 {
		networks, err := e.networksOf(c.Spec)
		if err != nil {
			return err
		}
		c.networks = networks
	}
	if id := e.missingNetwork(c); id != "" {
		c.ExitCode, c.Error = 128, "network "+id+" not found"
		e.changedUnreported(c)
		return notFound("network %s not found", id)
	}
	if err := e.portTaken(c); err != nil {
		c.ExitCode, c.Error = 128, err.Error()
		e.changedUnreported(c)
		return err
	}
	if !c.Restarting {
		c.RestartCount = 0
	}
	e.networkEvents(c, "connect")
	e.mountEvents(c)
	if c.Spec.StartError != "" {
		c.ExitCode, c.Error = 127, c.Spec.StartError
		e.networkEvents(c, "disconnect")
		e.unmountEvents(c)
		if len(c.networks)+len(c.Spec.Volumes) == 0 {
			e.changedUnreported(c)
		}
		return invalid("%s", c.Spec.StartError)
	}
	e.serial++
	c.Running, c.Restarting, c.Paused = true, false, false
	c.PID, c.ExitCode, c.Error, c.Started = 1000+int(e.serial), 0, "", e.now()
	c.startHealth()
	e.startRun(c)
	e.containerEvent(c, "start")
	return nil
}

// portTaken returns the reason why the ports of a container cannot be published, if
// there is one.
func (e *Engine) portTaken(c *Container) error {
	for _, p := range c.Spec.Published {
		other := e.firstContainer(func(other *Container) bool {
			return other != c && other.Running && slices.ContainsFunc(other.Spec.Published, p.overlaps)
		})
		if other != nil {
			return systemError("driver failed programming external connectivity on endpoint %s: Bind for %s:%s failed: port is already allocated",
				c.Name, cmp.Or(p.HostIP, "0.0.0.0"), p.HostPort)
		}
	}
	return nil
}

// overlaps reports whether two published ports cannot be in use at once.
func (p PortBinding) overlaps(other PortBinding) bool {
	_, protocol, _ := strings.Cut(p.Port, "/")
	_, otherProtocol, _ := strings.Cut(other.Port, "/")
	return p.HostPort != "" && p.HostPort == other.HostPort && cmp.Or(protocol, "tcp") == cmp.Or(otherProtocol, "tcp") &&
		(p.HostIP == "" || other.HostIP == "" || p.HostIP == other.HostIP)
}

func errMarkedForRemoval() error {
	return conflict("container is marked for removal and cannot be started")
}

// startOrResume starts a container; a paused one continues.
func (e *Engine) startOrResume(c *Container) error {
	if c.Paused {
		e.unpause(c)
		return nil
	}
	return e.start(c)
}

// startRefusal returns the reason why startOrResume would fail, if there is one.
func (e *Engine) startRefusal(c *Container) error {
	id := e.missingNetwork(c)
	switch {
	case c.Running && !c.Restarting:
		return nil
	case c.Removing || c.Dead:
		return errMarkedForRemoval()
	case id != "":
		return notFound("network %s not found", id)
	case e.portTaken(c) != nil:
		return e.portTaken(c)
	case c.Spec.StartError != "":
		return invalid("%s", c.Spec.StartError)
	}
	return nil
}

func (e *Engine) mountEvents(c *Container) {
	for _, name := range c.Spec.Volumes {
		e.emit("volume", "mount", name, map[string]string{
			"container": c.ID, "destination": c.destination(name), "driver": "local", "propagation": "", "read/write": "true"})
	}
}

func (e *Engine) unmountEvents(c *Container) {
	for _, name := range c.Spec.Volumes {
		e.emit("volume", "unmount", name, map[string]string{"container": c.ID, "driver": "local"})
	}
}

func (e *Engine) pause(c *Container) error {
	switch {
	case !c.Running:
		return errNotRunning(c)
	case c.Restarting:
		return conflict("Container %s is restarting, wait until the container is running", c.ID)
	case c.Paused:
		return conflict("Container %s is already paused", c.ID)
	}
	c.Paused = true
	c.Health.stop()
	e.containerEvent(c, "pause")
	return nil
}

func (e *Engine) rename(c *Container, name string) error {
	name = strings.TrimPrefix(name, "/")
	if name == c.Name {
		return invalid("Renaming a container with the same name as its current name")
	}
	if err := e.checkName(name); err != nil {
		return err
	}
	old := c.Name
	delete(e.names, old)
	c.Name = name
	e.names[name] = c.ID
	e.containerEvent(c, "rename", "oldName", "/"+old)
	return nil
}
