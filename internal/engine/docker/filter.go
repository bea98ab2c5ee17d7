package docker

import (
	"strings"
	"time"

	"github.com/moby/moby/api/types/events"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// subscribedTypes are the types of events that can change a mirror. A plugin's events
// concern the volumes of its driver.
func subscribedTypes() []string {
	types := []string{string(events.PluginEventType)}
	for _, row := range kindTable() {
		types = append(types, string(row.events))
	}
	return types
}

// execPrefix begins the actions of an exec.
const execPrefix = "exec_"

// subscribedActions are beginnings of all actions that do not begin with exec_. Health
// probes are execs, which send three events each. The filter of dockerd knows no
// negation, but compares beginnings if one of its values is health_status. So an action
// that is unknown here is sent too.
func subscribedActions() []string {
	const letters = "abcdefghijklmnopqrstuvwxyz_-: "
	actions := []string{string(events.ActionHealthStatus)}
	for i, next := range execPrefix {
		for _, letter := range letters {
			if letter != next {
				actions = append(actions, execPrefix[:i]+string(letter))
			}
		}
	}
	return actions
}

// MapEvent returns the event, or false when it cannot change a mirror. An unknown
// action is kept: one reading too many is harmless. docs/events.md lists all
// events of the engines and what follows from each.
func MapEvent(message events.Message) (Event, bool) {
	event := Event{Kind: kindOf(message.Type), ID: message.Actor.ID, Action: string(message.Action)}
	attributes := message.Actor.Attributes
	switch message.Type {
	case events.ContainerEventType:
		if id := attributes["imageID"]; message.Action == events.ActionCommit && id != "" {
			// A commit without a tag adds an image and sends no event of the image.
			event.Kind, event.ID = containersv1.KindImage, id
			return event, true
		}
		if message.Action == events.ActionExecDie {
			event.Failed = attributes["exitCode"] != "0"
		}
		event.ByImageID = strings.HasPrefix(attributes["image"], "sha256:")
	case events.ImageEventType:
		if message.Action == events.ActionTag {
			event.Tag = attributes["name"]
		}
	case events.VolumeEventType:
		if message.Action == events.ActionUnmount {
			// It may be all that a failed start of the container sends.
			event.Kind, event.ID, event.Action = containersv1.KindContainer, attributes["container"], ActionVolumeUnmount
		}
	case events.NetworkEventType:
		event = mapNetworkEvent(event, attributes["container"])
	case events.PluginEventType:
		return Event{Kind: containersv1.KindVolume, Action: ActionPlugin}, true
	default:
	}
	if !isRelevant(event) {
		return Event{}, false
	}
	return event, true
}

// kindOf returns the kind of the objects of a type of events, or "" when rdd mirrors
// none of them.
func kindOf(of events.Type) containersv1.Kind {
	for _, row := range kindTable() {
		if row.events == of {
			return row.kind
		}
	}
	return ""
}

// mapNetworkEvent returns the event of a network. A container that joins or leaves a
// network changes too.
func mapNetworkEvent(event Event, container string) Event {
	action := events.Action(event.Action)
	if container == "" || action != events.ActionConnect && action != events.ActionDisconnect {
		return event
	}
	event.Kind, event.ID, event.Network, event.Action = containersv1.KindContainer, container, event.ID, ActionNetworkConnect
	if action == events.ActionDisconnect {
		event.Action = ActionNetworkDisconnect
	}
	return event
}

// isRelevant reports whether an event can change a mirror. The prune of volumes,
// images or networks names none of them; removed containers have an event each.
func isRelevant(event Event) bool {
	row, err := rowOf(kindTable(), event.Kind)
	if err != nil || isHarmless(event.Kind, event.Action) {
		return false
	}
	return event.ID != "" || row.namesNone && events.Action(event.Action) == events.ActionPrune
}

// isHarmless reports whether an action changes nothing that is mirrored. Some
// actions carry a command or a status after a colon.
func isHarmless(kind containersv1.Kind, action string) bool {
	word, _, _ := strings.Cut(action, ":")
	switch kind {
	case containersv1.KindContainer:
		switch events.Action(word) {
		case events.ActionAttach, events.ActionDetach, events.ActionTop, events.ActionResize,
			events.ActionArchivePath, events.ActionExtractToDir, events.ActionExport,
			events.ActionCopy, events.ActionCommit:
			return true
		default:
			return strings.HasPrefix(word, execPrefix) && word != ActionExecEnd
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
