package memory

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
)

// probeCommand is the command of each health check, as events show it.
const probeCommand = "probe"

// Health is the health of a container at one moment.
type Health struct {
	Status containersv1.HealthStatus
	// FailingStreak counts the probes in a row that failed, without end.
	FailingStreak int
	// Output of the last probe; empty before it.
	Output string

	retries int
}

// startHealth begins the health check of a container that starts.
func (c *Container) startHealth() {
	if c.Spec.HealthRetries == 0 {
		return
	}
	if c.Health == nil {
		c.Health = &Health{retries: c.Spec.HealthRetries}
	}
	c.Health.Status, c.Health.FailingStreak = containersv1.HealthStarting, 0
}

// stop ends the health check of a container that ends or is paused: dockerd then calls
// the container unhealthy, without an event of its own. It accepts a nil Health.
func (h *Health) stop() {
	if h != nil {
		h.Status = containersv1.HealthUnhealthy
	}
}

func (h *Health) mirror() containersv1.ContainerHealth {
	if h == nil {
		return containersv1.ContainerHealth{Status: containersv1.HealthNone}
	}
	return containersv1.ContainerHealth{
		Status: h.Status, FailingStreak: int32(min(h.FailingStreak, h.retries)), Output: engine.CutOutput(h.Output),
	}
}

// Probe runs one probe of a container's health check, with an exit code and an output.
// Only a change of the status has an event of its own.
func (e *Engine) Probe(ref string, exitCode int, output string) error {
	defer e.lock()()
	c, err := e.findContainer(ref)
	switch {
	case err != nil:
		return err
	case !c.Running || c.Restarting || c.Paused:
		return errNotRunning(c)
	case c.Health == nil:
		return conflict("Container %s has no health check", c.ID)
	}
	for _, action := range []string{"exec_create: " + probeCommand, "exec_start: " + probeCommand} {
		e.containerEvent(c, action, "execID", c.ID)
	}
	e.containerEvent(c, "exec_die", "execID", c.ID, "exitCode", strconv.Itoa(exitCode))
	before := c.Health.Status
	c.Health.Output = output
	if exitCode == 0 {
		c.Health.Status, c.Health.FailingStreak = containersv1.HealthHealthy, 0
	} else if c.Health.FailingStreak++; c.Health.FailingStreak >= c.Health.retries {
		c.Health.Status = containersv1.HealthUnhealthy
	}
	if c.Health.Status == before {
		e.changedUnreported(c)
		return nil
	}
	e.changedContainer(c)
	e.containerEvent(c, "health_status: "+string(c.Health.Status))
	return nil
}

// endpoints returns the networks of a container, sorted by name. It has addresses while
// it runs.
func (e *Engine) endpoints(c *Container) []containersv1.ContainerNetwork {
	var out []containersv1.ContainerNetwork
	for _, id := range c.networks {
		endpoint := containersv1.ContainerNetwork{Name: e.networkNames[id]}
		if n := e.networks[id]; n != nil && n.Subnet != "" && c.Running && !c.Restarting {
			sum := fnv.New32a()
			_, _ = sum.Write([]byte(c.ID)) // it never fails
			host := 2 + sum.Sum32()%250
			endpoint.Addresses = []string{strings.Replace(n.Subnet, ".0/24", fmt.Sprintf(".%d", host), 1)}
			endpoint.MACAddress = fmt.Sprintf("02:42:0a:00:00:%02x", host)
		}
		out = append(out, endpoint)
	}
	slices.SortFunc(out, func(a, b containersv1.ContainerNetwork) int { return cmp.Compare(a.Name, b.Name) })
	return out
}
