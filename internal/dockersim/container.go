package dockersim

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Exit codes of processes that a signal ended.
const (
	exitTerminated = 128 + 15
	exitKilled     = 128 + 9
)

// PortBinding publishes a port of a container.
type PortBinding struct {
	// Port of the container, such as 80/tcp.
	Port string
	// HostIP is 0.0.0.0 by default.
	HostIP string
	// HostPort is made up when empty.
	HostPort string
}

// ContainerSpec says what a container is like.
type ContainerSpec struct {
	// Name; made up when empty.
	Name string
	// Image is a reference or an ID of an image that is there.
	Image string
	// Command is sleep infinity by default.
	Command []string
	// Labels of the container, added to those of the image.
	Labels map[string]string
	// Volumes by name; they are created. An empty name is an anonymous volume.
	Volumes []string
	// Exposed ports, such as 53/udp.
	Exposed []string
	// Published ports.
	Published []PortBinding
	// AutoRemove removes the container when it ends.
	AutoRemove bool
	// StartError makes each start fail with these words.
	StartError string
	// StopDelay is how long the process takes to end when it is told to.
	StopDelay time.Duration
}

type container struct {
	id      string
	name    string
	imageID string
	spec    ContainerSpec
	labels  map[string]string
	created time.Time

	started, finished                            time.Time
	running, paused, restarting, oomKilled, dead bool
	removing, disconnected                       bool
	pid, exitCode                                int
	startError                                   string
}

// AddContainer creates a container, as docker create does, and returns its ID.
// It panics on what an engine would refuse.
func (e *Engine) AddContainer(name, image string) string {
	return e.AddContainerSpec(ContainerSpec{Name: name, Image: image})
}

// AddContainerSpec is AddContainer with more to say.
func (e *Engine) AddContainerSpec(spec ContainerSpec) string {
	e.mu.Lock()
	defer e.mu.Unlock()
	c, err := e.createContainer(spec)
	must(err)
	return c.id
}

// ContainerIDs are the IDs of all containers, sorted.
func (e *Engine) ContainerIDs() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Sorted(maps.Keys(e.containers))
}

// ContainerStatus is the word of the Docker Engine API for a container's
// state, empty if there is no such container.
func (e *Engine) ContainerStatus(id string) string {
	e.mu.Lock()
	defer e.mu.Unlock()
	c, err := e.findContainer(id)
	if err != nil {
		return ""
	}
	return c.status()
}

func (e *Engine) createContainer(spec ContainerSpec) (*container, error) {
	img, err := e.resolveImage(spec.Image)
	if err != nil {
		return nil, err
	}
	if spec.Name == "" {
		spec.Name = "sim_" + strconv.FormatUint(e.serial+1, 10)
	}
	spec.Name = strings.TrimPrefix(spec.Name, "/")
	if err := e.checkName(spec.Name); err != nil {
		return nil, err
	}
	if len(spec.Command) == 0 {
		spec.Command = []string{"sleep", "infinity"}
	}
	spec.Volumes = slices.Clone(spec.Volumes)
	for i, name := range spec.Volumes {
		v, err := e.createVolume(VolumeSpec{Name: name})
		if err != nil {
			return nil, err
		}
		spec.Volumes[i] = v.spec.Name
	}
	c := &container{
		id:      e.nextID("container"),
		name:    spec.Name,
		imageID: img.id,
		spec:    spec,
		labels:  maps.Clone(img.spec.Labels),
		created: e.now(),
	}
	if c.labels == nil {
		c.labels = make(map[string]string)
	}
	maps.Copy(c.labels, spec.Labels)
	e.containers[c.id] = c
	e.names[c.name] = c.id
	e.containerEvent(c, "create")
	return c, nil
}

func (e *Engine) checkName(name string) error {
	if !legalName.MatchString(name) {
		return badRequest("Invalid container name (%s), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed", name)
	}
	if owner, taken := e.names[name]; taken {
		return conflict("Conflict. The container name %q is already in use by container %q. You have to remove (or rename) that container to be able to reuse that name.",
			"/"+name, owner)
	}
	return nil
}

// findContainer finds a container by ID, name, or the beginning of an ID.
func (e *Engine) findContainer(ref string) (*container, error) {
	if c, ok := e.containers[ref]; ok {
		return c, nil
	}
	if id, ok := e.names[strings.TrimPrefix(ref, "/")]; ok {
		return e.containers[id], nil
	}
	if len(ref) == len(networkID) {
		return nil, notFound("No such container: %s", ref)
	}
	var found *container
	for id, c := range e.containers {
		if ref != "" && strings.HasPrefix(id, ref) {
			if found != nil {
				return nil, notFound("Multiple IDs found with provided prefix: %s", ref)
			}
			found = c
		}
	}
	if found == nil {
		return nil, notFound("No such container: %s", ref)
	}
	return found, nil
}

func (e *Engine) containerEvent(c *container, action string, keysAndValues ...string) {
	attributes := with(c.labels, "image", c.spec.Image, "name", c.name)
	e.emit("container", action, c.id, with(attributes, keysAndValues...))
}

// status is dockerd's order of precedence.
func (c *container) status() string {
	switch {
	case c.removing:
		return "removing"
	case c.running && c.paused:
		return "paused"
	case c.running && c.restarting:
		return "restarting"
	case c.running:
		return "running"
	case c.dead:
		return "dead"
	case c.started.IsZero():
		return "created"
	default:
		return "exited"
	}
}

// exit sets the fields of a process that ended.
func (c *container) exit(now time.Time, code int) {
	c.running, c.paused, c.restarting = false, false, false
	c.pid, c.exitCode, c.finished = 0, code, now
}
