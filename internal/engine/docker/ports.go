package docker

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// wirePorts are bindings by port, which is written as 80/tcp.
type wirePorts map[string][]struct {
	HostIP   string `json:"HostIp"`
	HostPort string
}

// mapPorts returns every port that the container exposes or publishes. Only the bindings
// of live are in use: the requested ones may be a range, or any free port, and a stopped
// container has none.
func mapPorts(exposed map[string]any, requested, live wirePorts) []containersv1.Port {
	type key struct {
		number   int32
		protocol string
	}
	ports := make(map[key]*containersv1.Port)
	note := func(text string) *containersv1.Port {
		number, protocol, ok := parsePort(text)
		if !ok {
			return nil
		}
		at := key{number, protocol}
		if ports[at] == nil {
			ports[at] = &containersv1.Port{ContainerPort: number, Protocol: protocol}
		}
		return ports[at]
	}
	for text := range exposed {
		note(text)
	}
	for text := range requested {
		note(text)
	}
	for text, bindings := range live {
		port := note(text)
		if port == nil {
			continue
		}
		for _, binding := range bindings {
			port.Bindings = append(port.Bindings, containersv1.PortBinding{
				HostIP:   toValidUTF8(binding.HostIP),
				HostPort: parseHostPort(binding.HostPort),
			})
		}
	}
	if len(ports) == 0 {
		return nil
	}
	out := make([]containersv1.Port, 0, len(ports))
	for _, port := range ports {
		slices.SortFunc(port.Bindings, func(a, b containersv1.PortBinding) int {
			return cmp.Or(cmp.Compare(a.HostIP, b.HostIP), cmp.Compare(a.HostPort, b.HostPort))
		})
		port.Bindings = slices.Compact(port.Bindings)
		out = append(out, *port)
	}
	slices.SortFunc(out, func(a, b containersv1.Port) int {
		return cmp.Or(cmp.Compare(a.ContainerPort, b.ContainerPort), cmp.Compare(a.Protocol, b.Protocol))
	})
	return out
}

// parsePort reads 80/tcp, or 80 for the same.
func parsePort(text string) (number int32, protocol string, ok bool) {
	digits, protocol, _ := strings.Cut(text, "/")
	n, err := strconv.ParseUint(digits, 10, 16)
	if err != nil {
		return 0, "", false
	}
	switch protocol = strings.ToLower(protocol); protocol {
	case "":
		return int32(n), "tcp", true
	case "tcp", "udp", "sctp":
		return int32(n), protocol, true
	default:
		return 0, "", false
	}
}

// parseHostPort is 0 for what is no port number.
func parseHostPort(text string) int32 {
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return 0
	}
	return int32(n)
}
