package docker

import (
	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
)

// changed reads what an event may have changed. docs/events.md lists what follows
// from each event.
func (w *watcher) changed(ev Event) {
	key := engine.Key{Kind: ev.Kind, ID: ev.ID}
	if ev.Network != "" {
		w.refresh(engine.Key{Kind: containersv1.KindNetwork, ID: ev.Network})
	}
	switch {
	case ev.Kind == containersv1.KindImage:
		// The engine hides and shows other images than the one of the event.
		w.imageList.soon()
		if ev.ID != "" {
			w.refresh(key)
			w.tagChanged(ev)
		}
	case ev.Kind == containersv1.KindContainer:
		w.containerChanged(key, ev)
	case ev.ID != "":
		w.refresh(key)
	default:
		w.lists[ev.Kind].soon()
	}
}

func (w *watcher) containerChanged(key engine.Key, ev Event) {
	switch ev.Action {
	case ActionNetworkConnect, ActionNetworkDisconnect, ActionVolumeUnmount:
		// A start or a stop sends these beside its own events. A failed start sends
		// nothing else.
		w.recheckLater(key, silentPauses(1))
	case ActionCreate:
		w.refresh(key)
		w.recheckLater(key, silentPauses(2))
	case ActionDestroy:
		if ev.ByImageID {
			// Each step of a classic build ends with one, and leaves an image.
			w.imageList.soon()
		}
		w.refresh(key)
	case ActionExecEnd:
		w.execEnded(key, ev.Failed)
	default:
		w.refresh(key)
	}
}
