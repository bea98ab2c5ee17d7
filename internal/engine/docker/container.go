package docker

import (
	"fmt"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
)

// wireContainer is what rdd reads of GET /containers/{id}/json.
type wireContainer struct {
	ID           string `json:"Id"`
	Name         string
	Created      string
	Path         string
	Args         []string
	Image        string
	RestartCount int64
	State        struct {
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
		Health     *wireHealth
	}
	Config struct {
		Image        string
		Hostname     string
		User         string
		WorkingDir   string
		Labels       map[string]string
		ExposedPorts map[string]any
		Healthcheck  struct{ Retries int64 }
	}
	HostConfig struct {
		PortBindings  wirePorts
		Tmpfs         map[string]string
		RestartPolicy struct {
			Name              string
			MaximumRetryCount int64
		}
	}
	Mounts          []wireMount
	NetworkSettings struct {
		Ports    wirePorts
		Networks map[string]*wireEndpoint
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
	container := &containersv1.Container{
		ObjectMeta: metav1.ObjectMeta{Name: containersv1.ContainerResourceName(wire.ID)},
		Status:     mapContainerStatus(&wire),
	}
	container.Status.ExitReason = engine.ExitReason(&container.Status)
	return container, nil
}

// mapContainerStatus returns the status without the parts that follow from others. It
// leaves out the environment, which can have secrets.
func mapContainerStatus(wire *wireContainer) containersv1.ContainerStatus {
	state, config, host := &wire.State, &wire.Config, &wire.HostConfig
	status := containersv1.ContainerStatus{
		Status:        containerState(state.Status),
		Name:          toValidUTF8(containerName(wire.Name)),
		Namespace:     containersv1.MobyNamespace,
		Image:         toValidUTF8(config.Image),
		ImageID:       toValidUTF8(wire.Image),
		Path:          toValidUTF8(wire.Path),
		Args:          allToValidUTF8(wire.Args),
		WorkingDir:    toValidUTF8(config.WorkingDir),
		User:          toValidUTF8(config.User),
		Hostname:      toValidUTF8(config.Hostname),
		RestartPolicy: mapRestartPolicy(host.RestartPolicy.Name, host.RestartPolicy.MaximumRetryCount),
		RestartCount:  toInt32(max(0, wire.RestartCount)),
		Health:        mapHealth(state.Health, config.Healthcheck.Retries),
		Mounts:        mapMounts(wire.Mounts, host.Tmpfs),
		Networks:      mapNetworks(wire.NetworkSettings.Networks),
		Ports:         mapPorts(config.ExposedPorts, host.PortBindings, wire.NetworkSettings.Ports),
		Labels:        mapToValidUTF8(config.Labels),
		PID:           state.Pid,
		ExitCode:      toInt32(state.ExitCode),
		Error:         toValidUTF8(state.Error),
		CreatedAt:     microTime(wire.Created),
		StartedAt:     microTime(state.StartedAt),
		FinishedAt:    microTime(state.FinishedAt),
		Conditions: []metav1.Condition{
			condition(containersv1.ConditionRunning, state.Running),
			condition(containersv1.ConditionPaused, state.Paused),
			condition(containersv1.ConditionRestarting, state.Restarting),
			condition(containersv1.ConditionOOMKilled, state.OOMKilled),
			condition(containersv1.ConditionDead, state.Dead),
		},
	}
	if healthy, ok := engine.HealthCondition(status.Health.Status); ok {
		status.Conditions = append(status.Conditions, healthy)
	}
	return status
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
