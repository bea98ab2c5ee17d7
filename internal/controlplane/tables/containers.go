package tables

import (
	"cmp"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// recentAction is how long a row shows that the engine refused an action, while nothing
// else happens to the container.
const recentAction = 10 * time.Minute

// containerTable returns the table of containers.
func containerTable() table {
	const container, image, status, ports = 0, 2, 3, 4
	return table{
		columns: []column{
			{name: "Container", description: "Name of the container in the engine.", cut: cutMiddle},
			{name: "ID", description: "The first 12 digits of the container's ID."},
			{name: "Image", description: "Image from which the container was created.", cut: cutImage},
			{name: "Status", description: "State of the container, or why the engine refuses a request.", cut: cutStatus},
			{name: "Ports", description: "Published ports as HOST->CONTAINER, with the protocol unless it is TCP.", cut: cutPorts},
			ageColumn("container"),
			{name: "Full container", description: "Name of the container, never cut.", wide: true},
			{name: "Full image", description: "Image from which the container was created, never cut.", wide: true},
			{name: "Full ports", description: "All ports with host addresses and protocols.", wide: true},
			{name: "Desired", description: "State that a user requested.", wide: true},
			{name: "Reason", description: "What the engine refuses and why, or why the container ended or is unhealthy.", wide: true},
			nameColumn(),
		},
		steps: []step{
			{image, 20}, {ports, 16}, {status, 26}, {container, 24}, {image, 14}, {status, 22}, {ports, 10},
			{container, 14}, {status, 17}, {image, 10}, {ports, 8}, {container, 11},
		},
		cells: func(obj runtime.Object, known facts) []string {
			c := obj.(*containersv1.Container)
			return []string{
				c.Status.Name, shortID(c.Name), imageText(c.Status.Image), statusText(c, known.now), publishedPorts(c.Status.Ports),
				age(cmp.Or(c.Status.CreatedAt, created(c)), known.now),
				c.Status.Name, c.Status.Image, allPorts(c.Status.Ports), string(c.Spec.State), reasonText(c), c.Name,
			}
		},
	}
}

// imageText returns the reference of an image. An image without a name has an ID instead.
func imageText(image string) string {
	if strings.HasPrefix(image, "sha256:") {
		return shortID(image)
	}
	return image
}

// statusText returns the status as docker ps shows it, or why it is not as requested.
func statusText(c *containersv1.Container, now time.Time) string {
	if text := deletion(c, "container", nil); text != "" {
		return text
	}
	if text := refusal(c, now); text != "" {
		return text
	}
	text := stateText(&c.Status, now)
	if meta.IsStatusConditionFalse(c.Status.Conditions, containersv1.ConditionMirrored) {
		text += " (out of date)"
	}
	return text
}

// refusal returns what the engine refuses, such as "Start refused: port is already
// allocated".
func refusal(c *containersv1.Container, now time.Time) string {
	if reached := meta.FindStatusCondition(c.Status.Conditions, containersv1.ConditionStateReached); reached != nil && reached.Status == metav1.ConditionFalse {
		verb := "Start"
		if c.Spec.State == containersv1.StateCreated {
			verb = "Stop"
		}
		return verb + " refused: " + cause(reached.Message)
	}
	last := c.Status.LastAction
	if last == nil || last.State != containersv1.ActionFailed || last.CompletedAt == nil || now.Sub(last.CompletedAt.Time) > recentAction {
		return ""
	}
	for _, later := range []*metav1.MicroTime{c.Status.StartedAt, c.Status.FinishedAt} {
		if later != nil && later.After(last.CompletedAt.Time) {
			return ""
		}
	}
	action := string(last.Action)
	return strings.ToUpper(action[:min(1, len(action))]) + action[min(1, len(action)):] + " refused: " + cause(last.Error)
}

// stateText returns the state as docker ps shows it.
func stateText(s *containersv1.ContainerStatus, now time.Time) string {
	up := strings.TrimSpace("Up " + since(s.StartedAt, now))
	ended := fmt.Sprintf("(%d) %s ago", s.ExitCode, since(s.FinishedAt, now))
	if s.FinishedAt == nil {
		ended = fmt.Sprintf("(%d)", s.ExitCode)
	}
	switch s.Status {
	case containersv1.ContainerRunning:
		return up + healthText(s.Health.Status)
	case containersv1.ContainerPaused:
		return up + " (paused)"
	case containersv1.ContainerPausing:
		return up + " (pausing)"
	case containersv1.ContainerRestarting:
		return "Restarting " + ended
	case containersv1.ContainerExited:
		return "Exited " + ended
	case containersv1.ContainerRemoving:
		return "Removing"
	case containersv1.ContainerCreated:
		if s.Error != "" {
			return "Created (start failed)"
		}
		return "Created"
	case containersv1.ContainerDead:
		return "Dead"
	case containersv1.ContainerUnknown:
		return "Unknown"
	}
	return string(s.Status)
}

func healthText(health containersv1.HealthStatus) string {
	if health == "" || health == containersv1.HealthNone {
		return ""
	}
	return " (" + string(health) + ")"
}

// reasonText says what is behind the status.
func reasonText(c *containersv1.Container) string {
	if text := problem(c); text != "" {
		return text
	}
	if last := c.Status.LastAction; last != nil && last.Error != "" {
		return oneLine(fmt.Sprintf("%s: %s", last.Action, last.Error))
	}
	if c.Status.Health.Status == containersv1.HealthUnhealthy && c.Status.Health.Output != "" {
		return oneLine(c.Status.Health.Output)
	}
	return oneLine(cmp.Or(c.Status.Error, c.Status.ExitReason))
}

// publishedPorts returns the ports that can be reached from the host. An address of the
// host is only shown if it is a specific one.
func publishedPorts(ports []containersv1.Port) string {
	var texts []string
	for _, port := range ports {
		for _, binding := range port.Bindings {
			if binding.HostPort == 0 {
				continue
			}
			text := fmt.Sprintf("%d->%d", binding.HostPort, port.ContainerPort)
			if port.Protocol != "tcp" {
				text += "/" + port.Protocol
			}
			if ip := net.ParseIP(binding.HostIP); ip != nil && !ip.IsUnspecified() {
				text = net.JoinHostPort(binding.HostIP, text)
			}
			if !slices.Contains(texts, text) {
				texts = append(texts, text)
			}
		}
	}
	return strings.Join(texts, ", ")
}

// allPorts returns all ports as docker ps shows them.
func allPorts(ports []containersv1.Port) string {
	var texts []string
	for _, port := range ports {
		inside := fmt.Sprintf("%d/%s", port.ContainerPort, port.Protocol)
		published := false
		for _, binding := range port.Bindings {
			if binding.HostPort != 0 {
				published = true
				texts = append(texts, net.JoinHostPort(binding.HostIP, strconv.Itoa(int(binding.HostPort)))+"->"+inside)
			}
		}
		if !published {
			texts = append(texts, inside)
		}
	}
	return strings.Join(texts, ", ")
}
