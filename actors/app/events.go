package app

import (
	"cmp"

	corev1 "k8s.io/api/core/v1"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// eventRecord is an event of the App.
type eventRecord struct{ kind, reason, message string }

// record records events of the App, if there is one.
func (a *app) record(records ...eventRecord) {
	if a.view.app == nil {
		return
	}
	for _, r := range records {
		a.Events.Event(a.view.app, r.kind, r.reason, r.message)
	}
}

// vmEvents returns the events between two states of the VM. Each attempt that fails is an
// event, and equal ones are counted.
func vmEvents(before, now messages.VMChanged) []eventRecord {
	failed := now.State == messages.VMFailed && before.State != messages.VMFailed
	switch {
	case failed && now.Silent:
		return []eventRecord{{corev1.EventTypeWarning, appv1.EventEngineSilent, now.Failure}}
	case failed && !now.Desired:
		return []eventRecord{{corev1.EventTypeWarning, appv1.EventStopFailed, now.Failure}}
	case failed && before.State == messages.VMRunning:
		return []eventRecord{{corev1.EventTypeWarning, appv1.EventEngineEnded, now.Failure}}
	case failed:
		return []eventRecord{{corev1.EventTypeWarning, appv1.EventStartFailed, now.Failure}}
	case now.State == messages.VMRunning && now.Refused && !before.Refused:
		return []eventRecord{{corev1.EventTypeWarning, appv1.EventChangeRefused, now.Note}}
	}
	return nil
}

// engineEvents returns the events between two states of the engine supervisor.
func engineEvents(before, now messages.EngineChanged) []eventRecord {
	wasConnected := before.State == messages.EngineReady || before.State == messages.EngineSyncing
	switch {
	case wasConnected && now.State == messages.EngineDisconnected:
		return []eventRecord{{corev1.EventTypeWarning, appv1.EventEngineDisconnected, cmp.Or(now.Message, "the connection to the engine was lost")}}
	case now.State == messages.EngineReady && before.State != messages.EngineReady:
		return []eventRecord{{corev1.EventTypeNormal, appv1.EventEngineConnected, "the objects of the engine are mirrored; its version is " + cmp.Or(now.Engine.Version, "unknown")}}
	}
	return nil
}
