package memory

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// bridge is the network of a container without a network of its own.
const bridge = "bridge"

// idLength is the length of an ID.
const idLength = 64

// NetworkSpec describes a network to create.
type NetworkSpec struct {
	Name string
	// Driver, bridge by default.
	Driver               string
	Internal, Attachable bool
	Labels, Options      map[string]string
	// Subnet in CIDR notation; chosen when empty.
	Subnet string
}

// Network is a network as it was at one moment.
type Network struct {
	NetworkSpec
	ID      string
	Created time.Time
	// Attached are the IDs of the running containers that are connected, sorted.
	Attached []string

	predefined bool
}

// addPredefined adds the networks that every engine has.
func (e *Engine) addPredefined() {
	for _, spec := range []NetworkSpec{{Name: bridge, Driver: bridge}, {Name: "host", Driver: "host"}, {Name: "none", Driver: "null"}} {
		e.addNetwork(spec).predefined = true
	}
}

// addNetwork adds a network without an event.
func (e *Engine) addNetwork(spec NetworkSpec) *Network {
	n := &Network{NetworkSpec: spec, ID: e.nextID("network"), Created: e.now()}
	if n.Driver == bridge && n.Subnet == "" {
		e.subnets++
		n.Subnet = fmt.Sprintf("10.%d.%d.0/24", e.subnets>>8&255, e.subnets&255)
	}
	e.networks[n.ID], e.networkNames[n.ID] = n, n.Name
	e.changed(containersv1.KindNetwork, n.ID)
	return n
}

// AddNetwork creates a network and returns its ID.
func (e *Engine) AddNetwork(name string) string {
	n, err := e.CreateNetwork(NetworkSpec{Name: name})
	must(err)
	return n.ID
}

// CreateNetwork creates a network, as docker network create does.
func (e *Engine) CreateNetwork(spec NetworkSpec) (Network, error) {
	defer e.lock()()
	n, err := e.createNetwork(spec)
	if err != nil {
		return Network{}, err
	}
	return e.snapshotNetwork(n), nil
}

func (e *Engine) createNetwork(spec NetworkSpec) (*Network, error) {
	if found, _ := e.findNetwork(spec.Name); found != nil {
		return nil, conflict("network with name %s already exists", spec.Name)
	}
	if spec.Driver == "" {
		spec.Driver = bridge
	}
	n := e.addNetwork(spec)
	e.networkEvent(n, "create", nil)
	return n, nil
}

// RemoveNetwork removes a network, as docker network rm does.
func (e *Engine) RemoveNetwork(ref string) error {
	defer e.lock()()
	return e.removeNetwork(ref)
}

func (e *Engine) removeNetwork(ref string) error {
	n, err := e.findNetwork(ref)
	if err != nil {
		return err
	}
	if err := e.networkRefusal(n); err != nil {
		return err
	}
	e.deleteNetwork(n)
	return nil
}

// networkRefusal returns the reason why a network cannot be removed, if there is one.
func (e *Engine) networkRefusal(n *Network) error {
	switch {
	case n.predefined:
		return forbidden("%s is a pre-defined network and cannot be removed", n.Name)
	case len(e.attached(n)) > 0:
		return forbidden("error while removing network: network %s id %s has active endpoints", n.Name, n.ID)
	}
	return nil
}

func (e *Engine) deleteNetwork(n *Network) {
	delete(e.networks, n.ID)
	e.networkEvent(n, "destroy", nil)
}

// PruneNetworks removes the networks that no container uses, as docker network prune
// does.
func (e *Engine) PruneNetworks() {
	defer e.lock()()
	for _, id := range sortedKeys(e.networks) {
		n := e.networks[id]
		used := e.firstContainer(func(c *Container) bool { return slices.Contains(c.networks, id) })
		if !n.predefined && used == nil {
			e.deleteNetwork(n)
		}
	}
	e.emit("network", "prune", "", map[string]string{"reclaimed": "0"})
}

// Networks returns all networks, sorted by ID.
func (e *Engine) Networks() []Network {
	defer e.lock()()
	out := make([]Network, 0, len(e.networks))
	for _, id := range sortedKeys(e.networks) {
		out = append(out, e.snapshotNetwork(e.networks[id]))
	}
	return out
}

// Network returns one network, by its ID or its name.
func (e *Engine) Network(ref string) (Network, error) {
	defer e.lock()()
	n, err := e.findNetwork(ref)
	if err != nil {
		return Network{}, err
	}
	return e.snapshotNetwork(n), nil
}

// ConnectContainer connects a container to a network or disconnects it, as docker
// network connect and disconnect do. A container that does not run joins when it starts:
// no event reports the connection.
func (e *Engine) ConnectContainer(network, ref string, connect bool) error {
	return e.withContainer(ref, func(c *Container) error {
		n, err := e.findNetwork(network)
		if err != nil {
			return err
		}
		connected := slices.Contains(c.networks, n.ID)
		isAttached := c.Running && !c.Restarting
		switch {
		case c.Removing || c.Dead:
			return conflict("Container %s is marked for removal and cannot be connected or disconnected to the network", c.ID)
		case c.Spec.NoNetwork:
			return conflict("container sharing network namespace with another container or host cannot be connected to any other network")
		case connect && connected && !isAttached:
			return nil
		case connect && connected:
			return forbidden("endpoint with name %s already exists in network %s", c.Name, n.Name)
		case !connect && !connected:
			return systemError("container %s is not connected to network %s", c.ID, n.Name)
		case connect:
			c.networks = append(slices.Clone(c.networks), n.ID)
			if isAttached {
				e.networkEvent(n, "connect", c)
			} else {
				e.changedUnreported(c)
			}
		default:
			c.networks = slices.DeleteFunc(slices.Clone(c.networks), func(id string) bool { return id == n.ID })
			e.networkEvent(n, "disconnect", c)
		}
		return nil
	})
}

// networkEvents reports that a container joins or leaves its networks. One that
// shares the network of another container has no such events.
func (e *Engine) networkEvents(c *Container, action string) {
	for _, id := range c.networks {
		if n := e.networks[id]; n != nil {
			e.networkEvent(n, action, c)
		}
	}
}

func (e *Engine) networkEvent(n *Network, action string, c *Container) {
	attributes := map[string]string{"name": n.Name, "type": n.Driver}
	if c != nil {
		attributes["container"] = c.ID
	}
	e.changed(containersv1.KindNetwork, n.ID)
	e.emit("network", action, n.ID, attributes)
}

// networksOf returns the IDs of the networks of a new container.
func (e *Engine) networksOf(spec ContainerSpec) ([]string, error) {
	if spec.NoNetwork {
		return nil, nil
	}
	if spec.Network == "" {
		spec.Network = bridge
	}
	n, err := e.findNetwork(spec.Network)
	if err != nil {
		return nil, err
	}
	return []string{n.ID}, nil
}

// missingNetwork returns a network of a container that was removed.
func (e *Engine) missingNetwork(c *Container) string {
	for _, id := range c.networks {
		if e.networks[id] == nil {
			return id
		}
	}
	return ""
}

// attached returns the IDs of the running containers that are connected to a network.
func (e *Engine) attached(n *Network) (ids []string) {
	for _, id := range sortedKeys(e.containers) {
		if c := e.containers[id]; c.Running && !c.Restarting && slices.Contains(c.networks, n.ID) {
			ids = append(ids, id)
		}
	}
	return ids
}

func (e *Engine) snapshotNetwork(n *Network) Network {
	now := *n
	now.Attached = e.attached(n)
	return now
}

// findNetwork finds a network by ID or name.
func (e *Engine) findNetwork(ref string) (*Network, error) {
	if n := e.networks[ref]; n != nil {
		return n, nil
	}
	for _, n := range e.networks {
		if n.Name == ref {
			return n, nil
		}
	}
	return nil, notFound("network %s not found", ref)
}

// Gateway returns the address of the network's gateway; empty without a subnet.
func (n Network) Gateway() string {
	subnet, err := netip.ParsePrefix(n.Subnet)
	if err != nil {
		return ""
	}
	return subnet.Addr().Next().String()
}

// Mirror returns the resource that mirrors a network.
func (n Network) Mirror() *containersv1.Network {
	out := &containersv1.Network{}
	out.Name = containersv1.NetworkResourceName(n.ID)
	out.Status = containersv1.NetworkStatus{
		Name: n.Name, ID: n.ID, Namespace: containersv1.MobyNamespace, Driver: n.Driver, Scope: "local",
		Internal: n.Internal, Attachable: n.Attachable, IPAM: containersv1.NetworkIPAM{Driver: "default"},
		Labels: noneMap(n.Labels), Options: noneMap(n.Options), CreatedAt: microTime(n.Created), Containers: int32(len(n.Attached)),
	}
	if n.Subnet != "" {
		out.Status.IPAM.Configs = []containersv1.NetworkIPAMConfig{{Subnet: n.Subnet, Gateway: n.Gateway()}}
	}
	return out
}
