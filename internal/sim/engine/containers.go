package engine

import (
	"errors"
	"maps"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine/docker"
)

// container is one container.
type container struct {
	id, name string
	imageID  string
	image    string
	volumes  []string

	created, started, finished  *metav1.MicroTime
	running, paused, restarting bool
	// removing is set while a removal runs, dead when one has failed, ranBefore when
	// the container ran when the removal began.
	removing, dead, ranBefore bool
	// published is set while the container's port is published on a network.
	published             bool
	pid                   int64
	exitCode              int32
	autoRemove, noNetwork bool
	stopDelay             time.Duration
	// startError makes each start fail; failed is the error of the last start.
	startError, failed string
	// ran and rested are when it was last seen running and not running.
	ran, rested time.Time
}

func (c *container) status() containersv1.ContainerState {
	switch {
	case c.removing:
		return containersv1.ContainerRemoving
	case c.dead:
		return containersv1.ContainerDead
	case c.running && c.paused:
		return containersv1.ContainerPaused
	case c.running && c.restarting:
		return containersv1.ContainerRestarting
	case c.running:
		return containersv1.ContainerRunning
	case c.started == nil:
		return containersv1.ContainerCreated
	default:
		return containersv1.ContainerExited
	}
}

func (c *container) mirror() *containersv1.Container {
	out := &containersv1.Container{}
	out.Name = c.id
	out.Status = containersv1.ContainerStatus{
		Status: c.status(), Name: c.name, Namespace: containersv1.MobyNamespace, Image: c.image,
		PID: c.pid, ExitCode: c.exitCode, Error: c.failed,
		CreatedAt: c.created, StartedAt: c.started, FinishedAt: c.finished,
		Conditions: []metav1.Condition{
			flag(containersv1.ConditionRunning, c.running), flag(containersv1.ConditionPaused, c.paused),
			flag(containersv1.ConditionRestarting, c.restarting),
		},
	}
	if c.published {
		out.Status.Ports = []containersv1.Port{{ContainerPort: 80, Protocol: "tcp"}}
	}
	return out
}

func flag(name string, set bool) metav1.Condition {
	if set {
		return metav1.Condition{Type: name, Status: metav1.ConditionTrue, Reason: name}
	}
	return metav1.Condition{Type: name, Status: metav1.ConditionFalse, Reason: "Not" + name}
}

// exit sets the fields of a process that ended.
func (c *container) exit(now *metav1.MicroTime, code int32) {
	c.ran = time.Now()
	c.running, c.paused, c.restarting = false, false, false
	c.pid, c.exitCode, c.finished, c.published = 0, code, now, false
}

// ContainerSpec says what a container is like.
type ContainerSpec struct {
	Name string
	// Image is a tag or an ID.
	Image      string
	Volumes    []string
	AutoRemove bool
	// NoNetwork is a container that shares the network of another one: a failed
	// start sends no event at all.
	NoNetwork bool
	// StartError makes each start fail with these words.
	StartError string
	// StopDelay is how long the process takes to end.
	StopDelay time.Duration
}

// CreateContainer is docker create.
func (m *Model) CreateContainer(spec ContainerSpec) (id string, err error) {
	m.with(func() {
		img := m.resolve(spec.Image)
		if img == nil {
			err = notFound("No such image: %s", spec.Image)
			return
		}
		for _, name := range spec.Volumes {
			m.makeVolume(name)
		}
		c := &container{
			id: m.id("container"), name: spec.Name, imageID: img.id, image: spec.Image, volumes: spec.Volumes,
			created: m.now(), autoRemove: spec.AutoRemove, noNetwork: spec.NoNetwork, startError: spec.StartError, stopDelay: spec.StopDelay,
		}
		m.containers[c.id] = c
		m.emit(containersv1.KindContainer, c.id, "create")
		m.stampContainer(c.id)
		id = c.id
	})
	return id, err
}

// ContainerIDs are the IDs of all containers, sorted.
func (m *Model) ContainerIDs() (ids []string) {
	m.with(func() { ids = slices.Sorted(maps.Keys(m.containers)) })
	return ids
}

func (m *Model) change(id string, do func(*container) error) (err error) {
	m.with(func() {
		c := m.containers[id]
		if c == nil {
			err = notFound("No such container: %s", id)
			return
		}
		err = do(c)
		m.stampContainer(id)
	})
	return err
}

// Start is docker start. One that fails sends no event but those of its networks.
func (m *Model) Start(id string) error {
	return m.change(id, func(c *container) error {
		switch {
		case c.dead || c.removing:
			return conflict("container is marked for removal and cannot be started")
		case c.paused:
			return conflict("cannot start a paused container, try unpause instead")
		case c.running && !c.restarting:
			return nil
		case c.startError != "":
			c.exitCode, c.failed = 127, c.startError
			m.stampContainer(id)
			if c.noNetwork {
				m.silence(id)
			} else {
				m.emit(containersv1.KindContainer, id, docker.ActionNetworkDisconnect)
			}
			return errors.New(c.startError)
		}
		m.connect(c, true)
		m.serial++
		c.rested = time.Now()
		c.running, c.restarting, c.paused = true, false, false
		c.pid, c.exitCode, c.failed, c.started = 1000+int64(m.serial), 0, "", m.now()
		m.emit(containersv1.KindContainer, id, "start")
		return nil
	})
}

// connect emits that a container joined or left its network.
func (m *Model) connect(c *container, joined bool) {
	c.published = joined && !c.noNetwork
	switch {
	case c.noNetwork:
	case joined:
		m.emit(containersv1.KindContainer, c.id, docker.ActionNetworkConnect)
	default:
		m.emit(containersv1.KindContainer, c.id, docker.ActionNetworkDisconnect)
	}
}

// Connect is docker network connect and disconnect.
func (m *Model) Connect(id string, joined bool) error {
	return m.change(id, func(c *container) error {
		if !c.running || c.restarting || c.noNetwork {
			return conflict("Container %s is not running", id)
		}
		m.connect(c, joined)
		return nil
	})
}

// BeginRemoval is the first half of a docker rm --force that fails.
func (m *Model) BeginRemoval(id string) error {
	return m.change(id, func(c *container) error {
		if c.removing || c.autoRemove {
			return conflict("removal of container %s is already in progress", id)
		}
		c.removing, c.ranBefore = true, c.running
		if c.running {
			m.die(c, 137)
			return nil
		}
		m.stampContainer(id)
		m.silence(id)
		return nil
	})
}

// FailRemoval is the second half: the container is dead, and no event reports it.
// When it did not run, no event has reported the removal either.
func (m *Model) FailRemoval(id string) {
	_ = m.change(id, func(c *container) error {
		c.removing, c.dead = false, true
		if !c.ranBefore {
			m.stampContainer(id)
			m.silence(id)
		}
		return nil
	})
}

// BeginStop is the first half of docker stop: the signal. It answers how long
// the process takes to end.
func (m *Model) BeginStop(id string) (delay time.Duration, err error) {
	err = m.change(id, func(c *container) error {
		switch {
		case !c.running:
		case c.restarting:
			c.exit(c.finished, c.exitCode)
			m.emit(containersv1.KindContainer, id, "stop")
		default:
			m.emit(containersv1.KindContainer, id, "kill")
			if c.paused {
				c.paused = false
				m.emit(containersv1.KindContainer, id, "unpause")
			}
			delay = c.stopDelay
		}
		return nil
	})
	return delay, err
}

// EndStop is the second half of docker stop.
func (m *Model) EndStop(id string) {
	_ = m.change(id, func(c *container) error {
		if c.running {
			m.die(c, 143)
		}
		if m.containers[id] != nil {
			m.emit(containersv1.KindContainer, id, "stop")
		}
		return nil
	})
}

// Die is the end of a process with this exit code.
func (m *Model) Die(id string, code int32) error {
	return m.change(id, func(c *container) error {
		if !c.running || c.restarting {
			return conflict("Container %s is not running", id)
		}
		m.emit(containersv1.KindContainer, id, "kill")
		m.die(c, code)
		return nil
	})
}

// Crash is the end of a process that a restart policy starts again soon.
func (m *Model) Crash(id string, code int32) error {
	return m.change(id, func(c *container) error {
		if !c.running {
			return conflict("Container %s is not running", id)
		}
		c.exit(m.now(), code)
		c.running, c.restarting = true, true
		m.emit(containersv1.KindContainer, id, "die")
		m.connect(c, false)
		return nil
	})
}

// Pause is docker pause.
func (m *Model) Pause(id string) error {
	return m.change(id, func(c *container) error {
		if !c.running || c.restarting || c.paused {
			return conflict("Container %s cannot be paused", id)
		}
		c.paused, c.ran = true, time.Now()
		m.emit(containersv1.KindContainer, id, "pause")
		return nil
	})
}

// Unpause is docker unpause.
func (m *Model) Unpause(id string) error {
	return m.change(id, func(c *container) error {
		if !c.paused {
			return conflict("Container %s is not paused", id)
		}
		c.paused = false
		m.emit(containersv1.KindContainer, id, "unpause")
		return nil
	})
}

// Rename is docker rename.
func (m *Model) Rename(id, name string) error {
	return m.change(id, func(c *container) error {
		c.name = name
		m.emit(containersv1.KindContainer, id, "rename")
		return nil
	})
}

// SetStartError changes what each start fails with; empty is success.
func (m *Model) SetStartError(id, words string) error {
	return m.change(id, func(c *container) error {
		c.startError = words
		return nil
	})
}

// RemoveContainer is docker rm.
func (m *Model) RemoveContainer(id string, force bool) error {
	return m.change(id, func(c *container) error {
		if c.running && !force {
			return conflict("You cannot remove a running container %s", id)
		}
		if c.running {
			m.die(c, 137)
		}
		m.destroy(c)
		return nil
	})
}

func (m *Model) die(c *container, code int32) {
	c.exit(m.now(), code)
	m.emit(containersv1.KindContainer, c.id, "die")
	m.connect(c, false)
	if c.autoRemove {
		m.destroy(c)
	}
}

func (m *Model) destroy(c *container) {
	if m.containers[c.id] != nil {
		delete(m.containers, c.id)
		m.emit(containersv1.KindContainer, c.id, "destroy")
	}
}

// WasIn is whether a container was running, or was not, at or after a time;
// true for a container that is gone.
func (m *Model) WasIn(id string, running bool, since time.Time) (yes bool) {
	m.with(func() {
		c := m.containers[id]
		if c == nil {
			yes = true
			return
		}
		last := c.rested
		if running {
			last = c.ran
		}
		yes = (c.running && !c.paused) == running || !last.Before(since)
	})
	return yes
}
