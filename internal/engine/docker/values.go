package docker

import (
	"math"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// parseTime reads a time of the engine in UTC, cut to the microseconds that a
// resource can hold. Docker writes the year 1 for "never"; that, and what no
// JSON time can hold, is no time.
func parseTime(text string) (time.Time, bool) {
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return time.Time{}, false
	}
	at = at.UTC().Truncate(time.Microsecond)
	if at.Year() <= 1 || at.Year() > 9999 {
		return time.Time{}, false
	}
	return at, true
}

// microTime is parseTime for a field of a resource.
func microTime(text string) *metav1.MicroTime {
	at, ok := parseTime(text)
	if !ok {
		return nil
	}
	return &metav1.MicroTime{Time: at}
}

// toValidUTF8 returns text as the API server accepts it: valid UTF-8.
func toValidUTF8(text string) string { return strings.ToValidUTF8(text, "\uFFFD") }

// allToValidUTF8 is toValidUTF8 for a list; an empty one is nil, as it is after a round
// trip through the API server.
func allToValidUTF8(texts []string) []string {
	if len(texts) == 0 {
		return nil
	}
	out := make([]string, len(texts))
	for i, text := range texts {
		out[i] = toValidUTF8(text)
	}
	return out
}

// mapToValidUTF8 is toValidUTF8 for keys and values; an empty map is nil.
func mapToValidUTF8(texts map[string]string) map[string]string {
	if len(texts) == 0 {
		return nil
	}
	out := make(map[string]string, len(texts))
	for key, text := range texts {
		out[toValidUTF8(key)] = toValidUTF8(text)
	}
	return out
}

// toInt32 cuts a number to what an int32 holds.
func toInt32(n int64) int32 {
	return int32(max(math.MinInt32, min(math.MaxInt32, n))) //nolint:gosec // cut to the range
}

// condition returns the condition for a flag of the engine.
func condition(flag string, set bool) metav1.Condition {
	if set {
		return metav1.Condition{Type: flag, Status: metav1.ConditionTrue, Reason: flag}
	}
	return metav1.Condition{Type: flag, Status: metav1.ConditionFalse, Reason: "Not" + flag}
}

// containerState is the engine's word if a resource may hold it.
func containerState(word string) containersv1.ContainerState {
	switch state := containersv1.ContainerState(word); state {
	case containersv1.ContainerCreated, containersv1.ContainerRunning, containersv1.ContainerPausing,
		containersv1.ContainerPaused, containersv1.ContainerRestarting, containersv1.ContainerRemoving,
		containersv1.ContainerExited, containersv1.ContainerDead:
		return state
	default:
		return containersv1.ContainerUnknown
	}
}
