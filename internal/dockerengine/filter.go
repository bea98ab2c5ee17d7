package dockerengine

import (
	"strings"
	"time"

	"github.com/moby/moby/api/types/events"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// mirroredTypes are the types of events that the engine is asked for.
func mirroredTypes() []string {
	return []string{
		string(events.ContainerEventType),
		string(events.ImageEventType),
		string(events.VolumeEventType),
	}
}

// mapEvent returns the event, or false when it cannot change a mirror. An
// action that is not known here is kept: reading once too often is harmless.
func mapEvent(message events.Message) (Event, bool) {
	kind, ok := kindOf(message.Type)
	if id := message.Actor.Attributes["imageID"]; kind == containersv1.KindContainer &&
		message.Action == events.ActionCommit && id != "" {
		// A commit without a tag adds an image of which nothing else tells.
		return Event{Kind: containersv1.KindImage, ID: id, Action: string(message.Action), Time: eventTime(message)}, true
	}
	if !ok || message.Actor.ID == "" || isHarmless(kind, string(message.Action)) {
		return Event{}, false
	}
	event := Event{
		Kind:   kind,
		ID:     message.Actor.ID,
		Action: string(message.Action),
		Time:   eventTime(message),
	}
	if kind == containersv1.KindImage && message.Action == events.ActionTag {
		event.Tag = message.Actor.Attributes["name"]
	}
	return event, true
}

func kindOf(eventType events.Type) (containersv1.Kind, bool) {
	switch eventType {
	case events.ContainerEventType:
		return containersv1.KindContainer, true
	case events.ImageEventType:
		return containersv1.KindImage, true
	case events.VolumeEventType:
		return containersv1.KindVolume, true
	default:
		return "", false
	}
}

// isHarmless tells whether an action changes nothing that is mirrored. Some
// actions carry a command or a status after a colon.
func isHarmless(kind containersv1.Kind, action string) bool {
	word, _, _ := strings.Cut(action, ":")
	switch kind {
	case containersv1.KindContainer:
		switch events.Action(word) {
		case events.ActionAttach, events.ActionDetach, events.ActionTop, events.ActionResize,
			events.ActionArchivePath, events.ActionExtractToDir, events.ActionExport,
			events.ActionCopy, events.ActionCommit, events.ActionHealthStatus,
			events.ActionExecCreate, events.ActionExecStart, events.ActionExecDie,
			events.ActionExecDetach:
			return true
		default:
			return strings.HasPrefix(word, "exec_")
		}
	case containersv1.KindImage:
		return events.Action(word) == events.ActionSave
	case containersv1.KindVolume:
		action := events.Action(word)
		return action == events.ActionMount || action == events.ActionUnmount
	default:
		return false
	}
}

// eventTime prefers the nanoseconds, which old engines did not send.
func eventTime(message events.Message) time.Time {
	if message.TimeNano != 0 {
		return time.Unix(0, message.TimeNano).UTC()
	}
	return time.Unix(message.Time, 0).UTC()
}
