package docker

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/api/types/events"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

func TestMapEventKeepsRelevantEvents(t *testing.T) {
	kept := map[events.Type][]events.Action{
		events.ContainerEventType: {"create", "start", "die", "kill", "stop", "pause", "unpause", "rename", "restart", "oom", "destroy", "update", "levitate",
			"exec_die", "health_status", "health_status: healthy"},
		events.ImageEventType:   {"tag", "untag", "delete", "pull", "push", "load", "import", "create", "prune", "levitate"},
		events.VolumeEventType:  {"create", "destroy", "prune", "levitate"},
		events.NetworkEventType: {"create", "connect", "disconnect", "destroy", "remove", "update", "prune"},
		events.PluginEventType:  {"enable", "disable", "remove"},
	}
	dropped := map[events.Type][]events.Action{
		events.ContainerEventType: {"exec_create: sh -c true", "exec_start: x", "exec_detach", "attach", "detach", "top", "resize",
			"archive-path", "extract-to-dir", "export", "copy", "commit"},
		events.ImageEventType:   {"save"},
		events.VolumeEventType:  {"mount", "unmount"},
		events.DaemonEventType:  {"reload"},
		events.BuilderEventType: {"prune"},
		events.ServiceEventType: {"create"},
	}
	for want, table := range map[bool]map[events.Type][]events.Action{true: kept, false: dropped} {
		for eventType, actions := range table {
			for _, action := range actions {
				event, ok := MapEvent(events.Message{Type: eventType, Action: action, Actor: events.Actor{ID: "x"}})
				if ok != want {
					t.Errorf("%s %s: kept = %t (%+v)", eventType, action, ok, event)
				}
			}
		}
	}
}

// The engine compares beginnings of actions, as dockerd does (daemon/events/filter.go).
func TestSubscribedActions(t *testing.T) {
	actions := subscribedActions()
	if !slices.Contains(actions, "health_status") {
		t.Error("without health_status dockerd compares whole actions")
	}
	for want, table := range map[bool][]string{
		true: {"create", "start", "die", "health_status: healthy", "health_status: unhealthy", "extract-to-dir", "archive-path",
			"export", "tag", "untag", "unmount", "disconnect", "prune", "levitate", "execute", "executed", "eject", "expire"},
		false: {"exec_create: sh -c true", "exec_start: x", "exec_create", "exec_start", "exec_detach", "exec_die"},
	} {
		for _, action := range table {
			sent := slices.ContainsFunc(actions, func(begin string) bool { return strings.HasPrefix(action, begin) })
			if sent != want {
				t.Errorf("%s is sent: %t, want %t", action, sent, want)
			}
		}
	}
}

func TestMapEvent(t *testing.T) {
	got, ok := MapEvent(events.Message{Type: "image", Action: "untag", Actor: events.Actor{ID: "sha256:1"}})
	want := Event{Kind: containersv1.KindImage, ID: "sha256:1", Action: "untag"}
	if !ok || got != want {
		t.Errorf("got %+v, %t", got, ok)
	}
	got, _ = MapEvent(events.Message{Type: "image", Action: "tag", Actor: events.Actor{ID: "sha256:1", Attributes: map[string]string{"name": "app:One"}}})
	if got.Tag != "app:One" {
		t.Errorf("a tag: got %+v", got)
	}
	for exitCode, failed := range map[string]bool{"0": false, "1": true, "": true} {
		message := events.Message{Type: "container", Action: "exec_die", Actor: events.Actor{ID: "c", Attributes: map[string]string{"exitCode": exitCode}}}
		if got, _ := MapEvent(message); got.Failed != failed {
			t.Errorf("an exec that ended with %q: %+v", exitCode, got)
		}
	}
	for image, byID := range map[string]bool{"sha256:1": true, "app:1": false} {
		message := events.Message{Type: "container", Action: "destroy", Actor: events.Actor{ID: "c", Attributes: map[string]string{"image": image}}}
		if got, _ := MapEvent(message); got.ByImageID != byID {
			t.Errorf("a container of the image %s: %+v", image, got)
		}
	}
	got, ok = MapEvent(events.Message{Type: "container", Action: "commit", Actor: events.Actor{ID: "c", Attributes: map[string]string{"imageID": "sha256:2"}}})
	if !ok || got.Kind != containersv1.KindImage || got.ID != "sha256:2" {
		t.Errorf("a commit adds an image: got %+v, %t", got, ok)
	}
}

// Row F5: an event may name no object, or another one than it changes.
func TestMapEventOfAnotherObject(t *testing.T) {
	container := events.Actor{ID: "n", Attributes: map[string]string{"container": "c"}}
	for _, tc := range []struct {
		message events.Message
		want    Event
		dropped bool
	}{
		{message: events.Message{Type: "volume", Action: "prune"}, want: Event{Kind: containersv1.KindVolume, Action: "prune"}},
		{message: events.Message{Type: "image", Action: "prune"}, want: Event{Kind: containersv1.KindImage, Action: "prune"}},
		{message: events.Message{Type: "network", Action: "prune"}, want: Event{Kind: containersv1.KindNetwork, Action: "prune"}},
		{message: events.Message{Type: "network", Action: "connect", Actor: events.Actor{ID: "n"}},
			want: Event{Kind: containersv1.KindNetwork, ID: "n", Action: "connect"}},
		{message: events.Message{Type: "container", Action: "prune"}, dropped: true},
		{message: events.Message{Type: "container", Action: "start"}, dropped: true},
		{message: events.Message{Type: "volume", Action: "create"}, dropped: true},
		{message: events.Message{Type: "plugin", Action: "disable", Actor: events.Actor{ID: "p"}},
			want: Event{Kind: containersv1.KindVolume, Action: ActionPlugin}},
		{message: events.Message{Type: "network", Action: "connect", Actor: container},
			want: Event{Kind: containersv1.KindContainer, ID: "c", Action: ActionNetworkConnect, Network: "n"}},
		{message: events.Message{Type: "network", Action: "disconnect", Actor: container},
			want: Event{Kind: containersv1.KindContainer, ID: "c", Action: ActionNetworkDisconnect, Network: "n"}},
		{message: events.Message{Type: "volume", Action: "unmount", Actor: container},
			want: Event{Kind: containersv1.KindContainer, ID: "c", Action: ActionVolumeUnmount}},
		{message: events.Message{Type: "volume", Action: "mount", Actor: container}, dropped: true},
	} {
		got, ok := MapEvent(tc.message)
		if ok == tc.dropped || ok && got != tc.want {
			t.Errorf("%s %s: got %+v, %t", tc.message.Type, tc.message.Action, got, ok)
		}
	}
}

func TestTimestamp(t *testing.T) {
	if got := timestamp(time.Unix(12, 34)); got != "12.000000034" {
		t.Errorf("got %q", got)
	}
	if got := timestamp(time.Time{}); got != "" {
		t.Errorf("zero: got %q", got)
	}
}

func TestChooseVersion(t *testing.T) {
	for engine, want := range map[string]string{"1.41": "1.41", "1.40": "1.40", "1.56": "1.56", "1.99": "1.56", "2.0": "1.56"} {
		if got, err := chooseVersion(engine); err != nil || got != want {
			t.Errorf("chooseVersion(%q) = %q, %v", engine, got, err)
		}
	}
	for _, engine := range []string{"", "1.39", "garbage"} {
		if got, err := chooseVersion(engine); err == nil {
			t.Errorf("chooseVersion(%q) = %q", engine, got)
		}
	}
}

func TestEventTimePrefersNanoseconds(t *testing.T) {
	at := time.Date(2026, 11, 23, 12, 0, 0, 123456789, time.UTC)
	if got := eventTime(events.Message{Time: at.Unix(), TimeNano: at.UnixNano()}); !got.Equal(at) {
		t.Errorf("with nanoseconds: %v", got)
	}
	if got := eventTime(events.Message{Time: at.Unix()}); !got.Equal(at.Truncate(time.Second)) {
		t.Errorf("without nanoseconds: %v", got)
	}
}
