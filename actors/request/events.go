package request

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// eventRecord is an event of a request.
type eventRecord struct{ reason, message string }

// recordChange records what a newer version of the request shows. Stored versions are
// compared, so that an outcome that could not be written, and that of a former daemon,
// are no events.
func (r *request) recordChange(old, now containersv1.Request) {
	if old == nil || old.GetUID() != now.GetUID() {
		return
	}
	if h, ok := change(old.CommonStatus(), now.CommonStatus()); ok {
		r.Events.Event(now, corev1.EventTypeWarning, h.reason, h.message)
	}
}

// change returns the event between two states of a request, if there is one.
func change(before, now *containersv1.RequestStatus) (eventRecord, bool) {
	switch {
	case hasFailed(now) && !hasFailed(before):
		return eventRecord{containersv1.EventFailedRequest, now.Message}, true
	case isRetrying(now) && !isRetrying(before):
		return eventRecord{containersv1.EventRetriedRequest, now.Message}, true
	}
	return eventRecord{}, false
}

func hasFailed(s *containersv1.RequestStatus) bool {
	return meta.IsStatusConditionTrue(s.Conditions, containersv1.ConditionFailed)
}

// isRetrying reports whether an attempt has failed and the request waits for the next.
func isRetrying(s *containersv1.RequestStatus) bool {
	return reasonOf(s) == containersv1.ReasonRetrying
}
