package memory

// networkID is the ID of the one network, bridge.
const networkID = "3adedac87347f527b3b28b106b73b6ccc60169fc6008d2f5d3ef39631111eae3"

// ConnectContainer connects a running container to its network or disconnects it,
// as docker network connect and disconnect do.
func (e *Engine) ConnectContainer(ref string, joined bool) error {
	return e.withContainer(ref, func(c *Container) error {
		switch {
		case !c.Running || c.Restarting:
			return errNotRunning(c)
		case c.Spec.NoNetwork:
			return conflict("container sharing network namespace with another container or host cannot be connected to any other network")
		case joined && !c.disconnected:
			return conflict("endpoint with name %s already exists in network bridge", c.Name)
		case !joined && c.disconnected:
			return systemError("container %s is not connected to network bridge", c.ID)
		}
		c.disconnected = !joined
		e.networkEvent(c, map[bool]string{true: "connect", false: "disconnect"}[joined])
		return nil
	})
}

// networkEvent reports that a container joins or leaves its network. One without a
// network of its own has no such event.
func (e *Engine) networkEvent(c *Container, action string) {
	if !c.Spec.NoNetwork {
		e.emit("network", action, networkID, map[string]string{"container": c.ID, "name": "bridge", "type": "bridge"})
	}
}
