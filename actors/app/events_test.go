package app

import (
	"slices"
	"testing"

	"k8s.io/client-go/tools/record"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

func TestStatesOfEngineAreEvents(t *testing.T) {
	state := func(s messages.EngineState, message string) messages.EngineChanged {
		return messages.EngineChanged{State: s, Message: message}
	}
	ready := state(messages.EngineReady, "")
	ready.Engine.Version = "28.5"
	for name, test := range map[string]struct {
		before, now messages.EngineChanged
		want        []eventRecord
	}{
		"connected for the first time": {state(messages.EngineConnecting, ""), ready, []eventRecord{{"Normal", appv1.EventEngineConnected, "the objects of the engine are mirrored; its version is 28.5"}}},
		"ready, with other problems":   {ready, state(messages.EngineReady, "one object is not mirrored"), nil},
		"lost":                         {ready, state(messages.EngineDisconnected, "EOF"), []eventRecord{{"Warning", appv1.EventEngineDisconnected, "EOF"}}},
		"lost during the sync":         {state(messages.EngineSyncing, ""), state(messages.EngineDisconnected, "EOF"), []eventRecord{{"Warning", appv1.EventEngineDisconnected, "EOF"}}},
		"still lost, for another reason": {
			state(messages.EngineDisconnected, "EOF"), state(messages.EngineDisconnected, "refused"), nil,
		},
		"back":        {state(messages.EngineSyncing, ""), ready, []eventRecord{{"Normal", appv1.EventEngineConnected, "the objects of the engine are mirrored; its version is 28.5"}}},
		"stopped":     {ready, state(messages.EngineCleaning, ""), nil},
		"not started": {state(messages.EngineConnecting, ""), state(messages.EngineDisconnected, "refused"), nil},
	} {
		t.Run(name, func(t *testing.T) {
			if got := engineEvents(test.before, test.now); !slices.Equal(got, test.want) {
				t.Errorf("the events are %v, want %v", got, test.want)
			}
		})
	}
}

func TestStatesOfVMAreEvents(t *testing.T) {
	starting := messages.VMChanged{State: messages.VMStarting, Desired: true}
	running := messages.VMChanged{State: messages.VMRunning, Desired: true, Current: true}
	stopping := messages.VMChanged{State: messages.VMStopping}
	failed := messages.VMChanged{State: messages.VMFailed, Desired: true, Failure: "no space", Message: "no space, once"}
	again, silent, notStopped, refused := failed, failed, failed, running
	again.Message = "no space, twice"
	silent.Silent = true
	notStopped.Desired = false
	refused.Refused, refused.Note = true, "no such image"
	for name, test := range map[string]struct {
		before, now messages.VMChanged
		want        []eventRecord
	}{
		"started":                {starting, running, nil},
		"failed start":           {starting, failed, []eventRecord{{"Warning", appv1.EventStartFailed, "no space"}}},
		"failed start, repeated": {failed, again, nil},
		"ended":                  {running, failed, []eventRecord{{"Warning", appv1.EventEngineEnded, "no space"}}},
		"silent":                 {running, silent, []eventRecord{{"Warning", appv1.EventEngineSilent, "no space"}}},
		"failed stop":            {stopping, notStopped, []eventRecord{{"Warning", appv1.EventStopFailed, "no space"}}},
		"refused change":         {running, refused, []eventRecord{{"Warning", appv1.EventChangeRefused, "no such image"}}},
		"still refused":          {refused, refused, nil},
	} {
		t.Run(name, func(t *testing.T) {
			if got := vmEvents(test.before, test.now); !slices.Equal(got, test.want) {
				t.Errorf("the events are %v, want %v", got, test.want)
			}
		})
	}
}

// Without an App there is nothing that the events could be about.
func TestEventsNeedAnApp(t *testing.T) {
	events := record.NewFakeRecorder(10)
	a := New(Config{Events: events}).(*app)
	lost := eventRecord{"Warning", appv1.EventEngineDisconnected, "EOF"}
	a.record(lost)
	a.view.app = &appv1.App{}
	a.record(lost)
	if got := len(events.Events); got != 1 {
		t.Errorf("%d events were recorded, want that of the App", got)
	}
}
