package engine

import (
	"fmt"
	"unicode/utf8"

	"github.com/docker/go-units"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// ExitReason returns in words why the last run of a container ended. It is empty while
// the program runs, and before the first start. The signals are those of Linux, which
// runs every container.
func ExitReason(status *containersv1.ContainerStatus) string {
	switch status.Status {
	case containersv1.ContainerRunning, containersv1.ContainerPaused, containersv1.ContainerPausing:
		return ""
	case containersv1.ContainerCreated, containersv1.ContainerRestarting, containersv1.ContainerRemoving,
		containersv1.ContainerExited, containersv1.ContainerDead, containersv1.ContainerUnknown:
	}
	switch code := status.ExitCode; {
	case status.Error != "":
		return "failed to start"
	case status.FinishedAt == nil:
		return ""
	case meta.IsStatusConditionTrue(status.Conditions, containersv1.ConditionOOMKilled):
		return "killed because it was out of memory"
	case code == 0:
		return "completed"
	case code == 126:
		return "exited with code 126 (command cannot be executed)"
	case code == 127:
		return "exited with code 127 (command not found)"
	case code > 128 && code <= 128+64:
		return endedBySignal(code - 128)
	default:
		return fmt.Sprintf("exited with code %d", code)
	}
}

// endedBySignal describes the end of a program by a signal.
func endedBySignal(signal int32) string {
	name := map[int32]string{
		1: "HUP", 2: "INT", 3: "QUIT", 4: "ILL", 5: "TRAP", 6: "ABRT", 7: "BUS", 8: "FPE", 9: "KILL", 10: "USR1",
		11: "SEGV", 12: "USR2", 13: "PIPE", 14: "ALRM", 15: "TERM", 24: "XCPU", 25: "XFSZ", 31: "SYS",
	}[signal]
	if name == "" {
		return fmt.Sprintf("ended by signal %d", signal)
	}
	return fmt.Sprintf("ended by signal %d (SIG%s)", signal, name)
}

// HealthCondition returns the condition Healthy for a health; false if there is no
// health check.
func HealthCondition(status containersv1.HealthStatus) (metav1.Condition, bool) {
	c := metav1.Condition{Type: containersv1.ConditionHealthy}
	switch status {
	case containersv1.HealthHealthy:
		c.Status, c.Reason = metav1.ConditionTrue, "Healthy"
	case containersv1.HealthUnhealthy:
		c.Status, c.Reason = metav1.ConditionFalse, "Unhealthy"
	case containersv1.HealthStarting:
		c.Status, c.Reason = metav1.ConditionUnknown, "Starting"
	case containersv1.HealthNone:
		return c, false
	default:
		return c, false
	}
	return c, true
}

// CutOutput returns the beginning of a probe's output, in at most MaxHealthOutput
// bytes. It cuts no character of valid UTF-8 in half.
func CutOutput(text string) string {
	if len(text) <= containersv1.MaxHealthOutput {
		return text
	}
	end := containersv1.MaxHealthOutput
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end]
}

// HumanSize returns a size in bytes for people, as docker images shows it.
func HumanSize(bytes int64) string {
	const digits = 3
	return units.HumanSizeWithPrecision(float64(bytes), digits)
}
