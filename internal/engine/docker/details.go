package docker

import (
	"cmp"
	"net/netip"
	"slices"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
)

// defaultRetries is how many probes in a row must fail where the health check does not
// say how many.
const defaultRetries = 3

// wireHealth is the health of a container; nil without a health check.
type wireHealth struct {
	Status        string
	FailingStreak int64
	Log           []struct{ Output string }
}

// wireMount is a mounted file system of a container.
type wireMount struct {
	Type        string
	Name        string
	Source      string
	Destination string
	RW          bool
}

// wireEndpoint is a network of a container.
type wireEndpoint struct {
	IPAddress         string
	GlobalIPv6Address string
	MacAddress        string
}

// mapHealth returns the health. The engine counts failures without end; the mirror has
// those up to the number that makes the container unhealthy, so that a container that
// stays unhealthy does not change with each probe.
func mapHealth(health *wireHealth, retries int64) containersv1.ContainerHealth {
	if health == nil {
		return containersv1.ContainerHealth{Status: containersv1.HealthNone}
	}
	if retries <= 0 {
		retries = defaultRetries
	}
	out := containersv1.ContainerHealth{
		Status:        healthStatus(health.Status),
		FailingStreak: toInt32(max(0, min(health.FailingStreak, retries))),
	}
	if n := len(health.Log); n > 0 {
		out.Output = engine.CutOutput(toValidUTF8(health.Log[n-1].Output))
	}
	return out
}

// healthStatus is the engine's word if a resource may hold it. The engine itself treats
// a health without a status as unhealthy.
func healthStatus(word string) containersv1.HealthStatus {
	switch status := containersv1.HealthStatus(word); status {
	case containersv1.HealthNone, containersv1.HealthStarting, containersv1.HealthHealthy, containersv1.HealthUnhealthy:
		return status
	default:
		return containersv1.HealthUnhealthy
	}
}

// mapMounts returns what is mounted, sorted by destination. The engine lists what was
// requested with --tmpfs in another place.
func mapMounts(mounts []wireMount, tmpfs map[string]string) []containersv1.ContainerMount {
	var out []containersv1.ContainerMount
	for _, m := range mounts {
		mount := containersv1.ContainerMount{Type: toValidUTF8(m.Type), Destination: toValidUTF8(m.Destination), ReadOnly: !m.RW}
		switch m.Type {
		case "bind":
			mount.Source = toValidUTF8(m.Source)
		case "volume":
			mount.Volume = toValidUTF8(m.Name)
		}
		out = append(out, mount)
	}
	for destination := range tmpfs {
		out = append(out, containersv1.ContainerMount{Type: "tmpfs", Destination: toValidUTF8(destination)})
	}
	slices.SortFunc(out, func(a, b containersv1.ContainerMount) int {
		return cmp.Or(cmp.Compare(a.Destination, b.Destination), cmp.Compare(a.Type, b.Type), cmp.Compare(a.Source, b.Source))
	})
	return out
}

// mapNetworks returns the networks, sorted by name. Engines have written text such as
// "invalid IP" in place of an address.
func mapNetworks(endpoints map[string]*wireEndpoint) []containersv1.ContainerNetwork {
	if len(endpoints) == 0 {
		return nil
	}
	out := make([]containersv1.ContainerNetwork, 0, len(endpoints))
	for name, endpoint := range endpoints {
		network := containersv1.ContainerNetwork{Name: toValidUTF8(name)}
		if endpoint != nil {
			network.MACAddress = toValidUTF8(endpoint.MacAddress)
			for _, text := range []string{endpoint.IPAddress, endpoint.GlobalIPv6Address} {
				if _, err := netip.ParseAddr(text); err == nil {
					network.Addresses = append(network.Addresses, text)
				}
			}
		}
		out = append(out, network)
	}
	slices.SortFunc(out, func(a, b containersv1.ContainerNetwork) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// mapRestartPolicy returns the restart policy. An empty name means no restarts.
func mapRestartPolicy(name string, retries int64) containersv1.RestartPolicy {
	return containersv1.RestartPolicy{Name: cmp.Or(toValidUTF8(name), "no"), MaximumRetryCount: toInt32(max(0, retries))}
}
