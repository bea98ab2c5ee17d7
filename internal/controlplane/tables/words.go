package tables

import (
	"slices"
	"strings"
	"time"

	"github.com/docker/go-units"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/duration"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// The lengths of IDs in digits, as the engine and docker ps show them.
const (
	fullID  = 64
	briefID = 12
)

// deleting begins the cell of an object that is being deleted.
const deleting = "Deleting"

// since returns how long ago a time was, as docker ps words it, such as "3 minutes". A
// clock that is behind that of the engine makes no negative times.
func since(at *metav1.MicroTime, now time.Time) string {
	if at == nil {
		return ""
	}
	switch text := units.HumanDuration(max(0, now.Sub(at.Time))); text {
	case "Less than a second":
		return "1 second"
	case "About a minute":
		return "1 minute"
	case "About an hour":
		return "1 hour"
	default:
		return text
	}
}

// age returns how long ago a time was, as kubectl words it, such as "3m".
func age(at *metav1.MicroTime, now time.Time) string {
	if at == nil || at.IsZero() {
		return "<unknown>"
	}
	return duration.HumanDuration(max(0, now.Sub(at.Time)))
}

// deletion returns why an object that is being deleted still exists, such as "Deleting:
// image is used by web". It is empty for an object that is not being deleted.
func deletion(m containersv1.Mirror, what string, users []string) string {
	if m.GetDeletionTimestamp() == nil {
		return ""
	}
	others := slices.DeleteFunc(slices.Clone(m.GetFinalizers()), func(f string) bool { return f == containersv1.Finalizer })
	refused := meta.FindStatusCondition(*m.MirrorConditions(), containersv1.ConditionEngineDeleted)
	switch {
	case meta.IsStatusConditionTrue(*m.MirrorConditions(), containersv1.ConditionHeld):
		return deleting + ": held by " + strings.Join(others, ", ")
	case refused == nil || refused.Status != metav1.ConditionFalse:
		return deleting
	case len(users) > 0 && isInUse(refused.Message):
		return deleting + ": " + what + " is used by " + strings.Join(users, ", ")
	default:
		return deleting + ": " + cause(refused.Message)
	}
}

// isInUse reports whether the engine refuses a removal because an object is in use.
func isInUse(message string) bool {
	return slices.ContainsFunc([]string{"in use", "being used", "using", "active endpoints"}, func(words string) bool {
		return strings.Contains(message, words)
	})
}

// cause returns the last part of an error of the engine, which is the cause: "port is
// already allocated" of "driver failed programming external connectivity on endpoint web:
// Bind for 0.0.0.0:80 failed: port is already allocated". IDs are left out: the row has
// one, and the texts for people have no room for others.
func cause(message string) string {
	message = strings.Join(slices.DeleteFunc(strings.Fields(message), isID), " ")
	for _, suffix := range []string{": unknown", ": unknown."} {
		message = strings.TrimSuffix(message, suffix)
	}
	if at := strings.LastIndex(message, ": "); at >= 0 {
		return message[at+len(": "):]
	}
	return message
}

// isID reports whether a word of an error is an ID of the engine, in full or short.
func isID(word string) bool {
	return (len(word) == fullID || len(word) == briefID) && strings.Trim(word, "0123456789abcdef") == ""
}

// oneLine replaces line breaks and other white space.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// problem returns the full text of what the row only mentions: what the engine refuses, or
// why rdd fails. It is empty if there is no problem.
func problem(m containersv1.Mirror) string {
	for _, kind := range []string{
		containersv1.ConditionHeld, containersv1.ConditionEngineDeleted, containersv1.ConditionStateReached, containersv1.ConditionMirrored,
	} {
		c := meta.FindStatusCondition(*m.MirrorConditions(), kind)
		if c != nil && (c.Status == metav1.ConditionFalse || kind == containersv1.ConditionHeld && c.Status == metav1.ConditionTrue) {
			return oneLine(c.Message)
		}
	}
	return ""
}

// shortID returns an ID as docker shows it.
func shortID(id string) string {
	id = strings.TrimPrefix(id, "sha256:")
	return id[:min(len(id), briefID)]
}
