package request

import (
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// maxMessage is the maximum size of a message in a status, in bytes.
const maxMessage = 8 << 10

// begin sets the status of a request on which the work begins or continues.
func begin(s *containersv1.RequestStatus, now time.Time) {
	if s.StartedAt == nil {
		s.StartedAt = microTime(now)
	}
	switch reasonOf(s) {
	case containersv1.ReasonInProgress, containersv1.ReasonRetrying, containersv1.ReasonStartFailed:
		// The status says already how far the work is, or why it is repeated.
	default:
		unfinished(s, containersv1.ReasonInProgress, "the container engine works on the request")
	}
}

// waiting sets the status of a request that waits, for the reason and the message.
func waiting(s *containersv1.RequestStatus, reason, message string) {
	if reasonOf(s) == containersv1.ReasonStartFailed {
		return // the message has the engine's error, which is the outcome
	}
	unfinished(s, reason, message)
}

// recorded sets the status after the first part of the work.
func recorded(s *containersv1.RequestStatus, out Outcome) {
	s.Result = out.Result
	unfinished(s, out.Reason, out.Message)
}

// completed sets the status of a request that was carried out.
func completed(s *containersv1.RequestStatus, out Outcome, now time.Time) {
	finish(s, out, now)
	setCondition(s, containersv1.ConditionComplete, metav1.ConditionTrue, containersv1.ReasonCompleted, s.Message)
	setCondition(s, containersv1.ConditionFailed, metav1.ConditionFalse, containersv1.ReasonNotFailed, "")
}

// failed sets the status of a request that cannot be carried out.
func failed(s *containersv1.RequestStatus, out Outcome, now time.Time) {
	finish(s, out, now)
	setCondition(s, containersv1.ConditionComplete, metav1.ConditionFalse, out.Reason, s.Message)
	setCondition(s, containersv1.ConditionFailed, metav1.ConditionTrue, out.Reason, s.Message)
}

func finish(s *containersv1.RequestStatus, out Outcome, now time.Time) {
	if s.StartedAt == nil {
		s.StartedAt = microTime(now)
	}
	s.CompletedAt = microTime(now)
	s.Result = out.Result
	s.Message = limited(out.Message)
}

func unfinished(s *containersv1.RequestStatus, reason, message string) {
	s.Message = limited(message)
	setCondition(s, containersv1.ConditionComplete, metav1.ConditionFalse, reason, s.Message)
	setCondition(s, containersv1.ConditionFailed, metav1.ConditionFalse, containersv1.ReasonNotFailed, "")
}

// reasonOf returns the reason of the condition Complete; empty before there is one.
func reasonOf(s *containersv1.RequestStatus) string {
	if c := meta.FindStatusCondition(s.Conditions, containersv1.ConditionComplete); c != nil {
		return c.Reason
	}
	return ""
}

func setCondition(s *containersv1.RequestStatus, kind string, status metav1.ConditionStatus, reason, message string) {
	meta.SetStatusCondition(&s.Conditions, metav1.Condition{
		Type: kind, Status: status, Reason: reason, Message: message,
		LastTransitionTime: metav1.Now().Rfc3339Copy(), // in the seconds that are stored
	})
}

// limited returns a message of valid UTF-8 that fits into a status.
func limited(message string) string { return limitedTo(maxMessage, message) }

func limitedTo(most int, message string) string {
	if len(message) > most {
		message = message[:most] + "…"
	}
	return strings.ToValidUTF8(message, "")
}

// microTime returns a time to the microseconds that a resource holds.
func microTime(at time.Time) *metav1.MicroTime {
	return &metav1.MicroTime{Time: at.UTC().Truncate(time.Microsecond)}
}
