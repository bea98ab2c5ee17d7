package engine

import (
	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine/docker"
)

// happened reads what an event may have changed. docs/events.md lists what follows
// from each event.
func (s *session) happened(ev docker.Event) {
	t := target{kind: ev.Kind, id: ev.ID}
	switch ev.Kind {
	case containersv1.KindImage:
		// The engine hides and shows other images than the one of the event.
		s.listImagesSoon()
		if ev.ID != "" {
			s.refresh(t)
			s.tagged(ev)
		}
	case containersv1.KindVolume:
		if ev.ID == "" {
			s.listVolumesSoon()
			return
		}
		s.refresh(t)
	case containersv1.KindContainer:
		s.containerEvent(t, ev)
	case containersv1.KindContainerNamespace:
	}
}

func (s *session) containerEvent(t target, ev docker.Event) {
	switch ev.Action {
	case docker.ActionNetworkConnect, docker.ActionNetworkDisconnect, docker.ActionVolumeUnmount:
		// A start or a stop sends these beside its own events, a failed start
		// sends nothing else.
		s.recheckLater(t, silentPauses(1))
	case docker.ActionCreate:
		s.refresh(t)
		s.recheckLater(t, silentPauses(2))
	case docker.ActionDestroy:
		if ev.ByImageID {
			// Each step of a classic build ends with one, and leaves an image.
			s.listImagesSoon()
		}
		s.refresh(t)
	default:
		s.refresh(t)
	}
}
