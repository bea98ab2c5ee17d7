package v1alpha1

import (
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
)

// IdleStopAfter returns the time of IdleStop; 0 if the virtual machine keeps running.
func (v VM) IdleStopAfter() time.Duration {
	after, err := time.ParseDuration(v.IdleStop)
	if err != nil {
		return 0 // it is empty; the API server accepts only valid times
	}
	return after
}

// IsLimaYAML reports whether an image of a virtual machine is a user's lima.yaml.
func IsLimaYAML(image string) bool {
	return strings.HasSuffix(image, ".yaml") || strings.HasSuffix(image, ".yml")
}

// IsIdle reports whether the virtual machine was stopped because of vm.idleStop.
func (s AppStatus) IsIdle() bool {
	running := meta.FindStatusCondition(s.Conditions, ConditionRunning)
	return running != nil && running.Reason == ReasonIdle
}
