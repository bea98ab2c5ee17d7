package memory

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
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
	// HostIP is every address, IPv4 and IPv6, by default.
	HostIP string
	// HostPort is chosen by the engine when empty.
	HostPort string
}

// ContainerSpec describes a container to create.
type ContainerSpec struct {
	// Name; generated when empty.
	Name string
	// Image is a reference or an ID.
	Image string
	// Command is sleep infinity by default.
	Command []string
	// Labels of the container, added to those of the image.
	Labels map[string]string
	// Hostname is the beginning of the ID by default.
	Hostname string
	// User and WorkingDir of the process.
	User, WorkingDir string
	// RestartPolicy is no by default. The engine in memory restarts nothing by itself.
	RestartPolicy containersv1.RestartPolicy
	// HealthRetries is the number of probes in a row that must fail; 0 means that there
	// is no health check.
	HealthRetries int
	// Volumes by name; they are created. An empty name is an anonymous volume.
	Volumes []string
	// Destinations of volumes by name; a slash and the name by default.
	Destinations map[string]string
	// Mounts are those that are not volumes.
	Mounts []containersv1.ContainerMount
	// Exposed ports, such as 53/udp.
	Exposed []string
	// Published ports.
	Published []PortBinding
	// AutoRemove removes the container when it ends.
	AutoRemove bool
	// Network by name or ID, bridge by default.
	Network string
	// NoNetwork makes a container that shares the network of another one, and so
	// has no events of a network.
	NoNetwork bool
	// StartError makes each start fail with this message.
	StartError string
	// StopDelay is how long the process takes to end after a stop signal.
	StopDelay time.Duration
	// Runs is set when the command is a script that the engine runs; see shell.
	Runs bool
	// TTY gives the main process a terminal, OpenStdin an input.
	TTY, OpenStdin bool
}

// Container is a container as it was at one moment.
type Container struct {
	ID, Name, ImageID string
	Spec              ContainerSpec
	Labels            map[string]string

	Created, Started, Finished        time.Time
	Running, Paused, Restarting, Dead bool
	// Removing is set while a removal is under way.
	Removing      bool
	PID, ExitCode int
	// Error of the last start.
	Error string
	// RestartCount counts the crashes since the last start.
	RestartCount int
	// Health is nil without a health check, and before the first start.
	Health *Health
	// Networks as the container has them now.
	Networks []containersv1.ContainerNetwork

	// networks are the IDs of its networks, also while it does not run.
	networks []string
	// signalled is the start of the last run that got a stop signal.
	signalled time.Time
	log       *containerLog
	// run is the current run, or the last one; nil before the first.
	run *run
}

// AddContainer creates a container and returns its ID.
func (e *Engine) AddContainer(name, image string) string {
	return e.AddContainerSpec(ContainerSpec{Name: name, Image: image})
}

// AddContainerSpec creates a container and returns its ID.
func (e *Engine) AddContainerSpec(spec ContainerSpec) string {
	id, err := e.CreateContainer(spec)
	must(err)
	return id
}

// CreateContainer creates a container, as docker create does, and returns its ID.
func (e *Engine) CreateContainer(spec ContainerSpec) (id string, err error) {
	defer e.lock()()
	c, err := e.createContainer(spec)
	if err != nil {
		return "", err
	}
	return c.ID, nil
}

// ContainerIDs returns the IDs of all containers, sorted.
func (e *Engine) ContainerIDs() []string {
	defer e.lock()()
	return sortedKeys(e.containers)
}

// Containers returns all containers, sorted by ID.
func (e *Engine) Containers() []Container {
	defer e.lock()()
	out := make([]Container, 0, len(e.containers))
	for _, id := range sortedKeys(e.containers) {
		out = append(out, e.snapshotContainer(e.containers[id]))
	}
	return out
}

// Container returns one container.
func (e *Engine) Container(ref string) (Container, error) {
	defer e.lock()()
	c, err := e.findContainer(ref)
	if err != nil {
		return Container{}, err
	}
	return e.snapshotContainer(c), nil
}

// snapshotContainer returns a copy that shares nothing that changes.
func (e *Engine) snapshotContainer(c *Container) Container {
	now := *c
	now.Networks = e.endpoints(c)
	if c.Health != nil {
		now.Health = new(*c.Health)
	}
	return now
}

// ContainerStatus returns Docker's word for a container's state, and nothing if
// there is no such container.
func (e *Engine) ContainerStatus(ref string) string {
	c, err := e.Container(ref)
	if err != nil {
		return ""
	}
	return c.Status()
}

func (e *Engine) createContainer(spec ContainerSpec) (*Container, error) {
	img, err := e.resolveImage(spec.Image)
	if err != nil {
		return nil, err
	}
	spec.RestartPolicy.Name = cmp.Or(spec.RestartPolicy.Name, "no")
	if spec.Name == "" {
		spec.Name = "unnamed_" + strconv.FormatUint(e.serial+1, 10)
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
		spec.Volumes[i] = v.Name
	}
	networks, err := e.networksOf(spec)
	if err != nil {
		return nil, err
	}
	c := &Container{
		ID: e.nextID("container"), Name: spec.Name, ImageID: img.ID, Spec: spec, networks: networks,
		Labels: maps.Clone(img.Labels), Created: e.now(), log: newContainerLog(),
	}
	c.Spec.Hostname = cmp.Or(spec.Hostname, c.ID[:12])
	if c.Labels == nil {
		c.Labels = make(map[string]string)
	}
	maps.Copy(c.Labels, spec.Labels)
	e.containers[c.ID] = c
	e.names[c.Name] = c.ID
	e.changedContainer(c)
	e.containerEvent(c, "create")
	return c, nil
}

func (e *Engine) checkName(name string) error {
	if !legalName.MatchString(name) {
		return invalid("Invalid container name (%s), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed", name)
	}
	if owner, taken := e.names[name]; taken {
		return conflict("Conflict. The container name %q is already in use by container %q. You have to remove (or rename) that container to be able to reuse that name.",
			"/"+name, owner)
	}
	return nil
}

// findContainer finds a container by ID, name, or the beginning of an ID.
func (e *Engine) findContainer(ref string) (*Container, error) {
	if c, ok := e.containers[ref]; ok {
		return c, nil
	}
	if id, ok := e.names[strings.TrimPrefix(ref, "/")]; ok {
		return e.containers[id], nil
	}
	if ref == "" || len(ref) == idLength {
		return nil, notFound("No such container: %s", ref)
	}
	var found *Container
	for id, c := range e.containers {
		if strings.HasPrefix(id, ref) {
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

// firstContainer returns the container with the lowest ID that meets a condition,
// nil if none does.
func (e *Engine) firstContainer(meets func(*Container) bool) *Container {
	var first *Container
	for id, c := range e.containers {
		if meets(c) && (first == nil || id < first.ID) {
			first = c
		}
	}
	return first
}

func (e *Engine) containerEvent(c *Container, action string, keysAndValues ...string) {
	attributes := with(c.Labels, "image", c.Spec.Image, "name", c.Name)
	e.emit("container", action, c.ID, with(attributes, keysAndValues...))
}

// NetworkIDs returns the IDs of the container's networks, also while it does not run.
func (c *Container) NetworkIDs() []string { return c.networks }

// Status returns Docker's word for the state, in dockerd's order of precedence.
func (c *Container) Status() string {
	switch {
	case c.Running && c.Paused:
		return "paused"
	case c.Running && c.Restarting:
		return "restarting"
	case c.Running:
		return "running"
	case c.Removing:
		return "removing"
	case c.Dead:
		return "dead"
	case c.Started.IsZero():
		return "created"
	default:
		return "exited"
	}
}

// exit sets the fields of a process that ended.
func (c *Container) exit(now time.Time, code int) {
	c.Running, c.Paused, c.Restarting = false, false, false
	c.PID, c.ExitCode, c.Finished = 0, code, now
	c.Health.stop()
	c.endRun()
}

// LivePorts returns the bindings of each exposed port while the container runs and
// is connected. A port that is published without an address is on IPv4 and IPv6.
func (c *Container) LivePorts() map[string][]PortBinding {
	live := make(map[string][]PortBinding)
	if !c.Running || c.Restarting || len(c.networks) == 0 {
		return live
	}
	for _, port := range c.Spec.Exposed {
		live[port] = nil
	}
	for _, p := range c.Spec.Published {
		if p.HostPort == "" {
			p.HostPort = "49153"
		}
		addresses := []string{p.HostIP}
		if p.HostIP == "" {
			addresses = []string{"0.0.0.0", "::"}
		}
		for _, p.HostIP = range addresses {
			live[p.Port] = append(live[p.Port], p)
		}
	}
	return live
}
