package dockersim

import (
	"time"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine/memory"
)

// wireRestartPolicy is a restart policy in the Docker Engine API.
type wireRestartPolicy struct {
	Name              string `json:"Name"`
	MaximumRetryCount int32  `json:"MaximumRetryCount"`
}

// wireHealth returns the health as dockerd does. The times in the log differ in each
// answer.
func wireHealth(h *memory.Health) map[string]any {
	if h == nil {
		return nil
	}
	log := []map[string]any{}
	if h.Output != "" {
		now := wireTime(time.Now())
		log = append(log, map[string]any{"Start": now, "End": now, "ExitCode": min(h.FailingStreak, 1), "Output": h.Output})
	}
	return map[string]any{"Status": h.Status, "FailingStreak": h.FailingStreak, "Log": log}
}

// wireMounts lists all mounts but the temporary file systems, which dockerd lists in
// the configuration of the host.
func wireMounts(c memory.Container) []map[string]any {
	list := []map[string]any{}
	for _, m := range c.Mirror().Status.Mounts {
		if m.Type == "tmpfs" {
			continue
		}
		wire := map[string]any{"Type": m.Type, "Source": m.Source, "Destination": m.Destination, "RW": !m.ReadOnly, "Mode": ""}
		if m.Volume != "" {
			wire["Name"], wire["Driver"], wire["Source"] = m.Volume, "local", "/var/lib/docker/volumes/"+m.Volume+"/_data"
		}
		list = append(list, wire)
	}
	return list
}

func wireTmpfs(c memory.Container) map[string]string {
	tmpfs := map[string]string{}
	for _, m := range c.Spec.Mounts {
		if m.Type == "tmpfs" {
			tmpfs[m.Destination] = ""
		}
	}
	return tmpfs
}

func wireEndpoints(networks []containersv1.ContainerNetwork) map[string]any {
	endpoints := map[string]any{}
	for _, n := range networks {
		address := ""
		if len(n.Addresses) > 0 {
			address = n.Addresses[0]
		}
		endpoints[n.Name] = map[string]any{"IPAddress": address, "GlobalIPv6Address": "", "MacAddress": n.MACAddress}
	}
	return endpoints
}
