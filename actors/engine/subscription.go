package engine

import (
	"context"

	"github.com/asynkron/protoactor-go/actor"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/kube"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// subscribe subscribes this incarnation to the mirrors.
func (s *supervisor) subscribe() {
	s.tasks.Loop(func(ctx context.Context, send func(any)) any {
		if err := s.Subscribe(ctx, func(e kube.Event) { send(delivery{e}) }, kube.MirrorObjects()...); err != nil {
			return subscribeFailed{err}
		}
		return nil
	})
}

func (s *supervisor) delivered(c actor.Context, event kube.Event) {
	switch e := event.(type) {
	case kube.Changed:
		s.mirrorChanged(c, messages.MirrorChanged{Object: e.Object.(containersv1.Mirror)})
	case kube.Removed:
		m := e.Object.(containersv1.Mirror)
		s.mirrorRemoved(c, messages.MirrorRemoved{Kind: m.MirrorKind(), Name: m.GetName(), UID: m.GetUID()})
	case kube.Synced:
		s.isSynced = true
		s.open()
	}
}
