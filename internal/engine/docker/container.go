package docker

import (
	"fmt"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// wireContainer is what rdd reads of GET /containers/{id}/json.
type wireContainer struct {
	ID      string `json:"Id"`
	Name    string
	Created string
	Path    string
	Args    []string
	State   struct {
		Status     string
		Running    bool
		Paused     bool
		Restarting bool
		OOMKilled  bool
		Dead       bool
		Pid        int64
		ExitCode   int64
		Error      string
		StartedAt  string
		FinishedAt string
	}
	Config struct {
		Image        string
		Labels       map[string]string
		ExposedPorts map[string]any
	}
	HostConfig struct {
		PortBindings wirePorts
	}
	NetworkSettings struct {
		Ports wirePorts
	}
}

// mapContainer turns an inspected container into its mirror.
func mapContainer(raw []byte) (*containersv1.Container, error) {
	var wire wireContainer
	if err := decode(raw, &wire); err != nil {
		return nil, err
	}
	if complaints := validation.IsDNS1123Subdomain(wire.ID); len(complaints) > 0 {
		return nil, fmt.Errorf("the engine gave the container the ID %q, which cannot be the name of a resource: %s",
			wire.ID, strings.Join(complaints, "; "))
	}
	state := &wire.State
	return &containersv1.Container{
		ObjectMeta: metav1.ObjectMeta{Name: containersv1.ContainerResourceName(wire.ID)},
		Status: containersv1.ContainerStatus{
			Status:     containerState(state.Status),
			Name:       toValidUTF8(containerName(wire.Name)),
			Namespace:  containersv1.MobyNamespace,
			Image:      toValidUTF8(wire.Config.Image),
			Path:       toValidUTF8(wire.Path),
			Args:       allToValidUTF8(wire.Args),
			Ports:      mapPorts(wire.Config.ExposedPorts, wire.HostConfig.PortBindings, wire.NetworkSettings.Ports),
			Labels:     mapToValidUTF8(wire.Config.Labels),
			PID:        state.Pid,
			ExitCode:   toInt32(state.ExitCode),
			Error:      toValidUTF8(state.Error),
			CreatedAt:  microTime(wire.Created),
			StartedAt:  microTime(state.StartedAt),
			FinishedAt: microTime(state.FinishedAt),
			Conditions: []metav1.Condition{
				condition(containersv1.ConditionRunning, state.Running),
				condition(containersv1.ConditionPaused, state.Paused),
				condition(containersv1.ConditionRestarting, state.Restarting),
				condition(containersv1.ConditionOOMKilled, state.OOMKilled),
				condition(containersv1.ConditionDead, state.Dead),
			},
		},
	}, nil
}

// containerName is the name without the slash that Docker puts in front of
// it. A name of two parts is an alias that a link gave: of several names the
// container's own is the one with no slash inside.
func containerName(names ...string) string {
	fallback := ""
	for _, name := range names {
		name = strings.TrimLeft(name, "/")
		if name != "" && !strings.Contains(name, "/") {
			return name
		}
		if fallback == "" {
			fallback = name
		}
	}
	return fallback
}
