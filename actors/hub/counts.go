package hub

import (
	"k8s.io/apimachinery/pkg/types"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	hubv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/hub/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/kube"
)

// counts counts the mirrors on the hub.
type counts struct {
	// kinds has the kind of each mirror.
	kinds map[types.UID]containersv1.Kind
	// running are the containers that run.
	running map[types.UID]struct{}
	totals  map[containersv1.Kind]int
}

func newCounts() counts {
	return counts{kinds: map[types.UID]containersv1.Kind{}, running: map[types.UID]struct{}{}, totals: map[containersv1.Kind]int{}}
}

func (n *counts) deliver(event kube.Event) {
	switch e := event.(type) {
	case kube.Changed:
		if m, ok := e.Object.(containersv1.Mirror); ok {
			n.changed(m)
		}
	case kube.Removed:
		uid := e.Object.GetUID()
		if kind, ok := n.kinds[uid]; ok {
			n.totals[kind]--
		}
		delete(n.kinds, uid)
		delete(n.running, uid)
	case kube.Synced:
	}
}

func (n *counts) changed(m containersv1.Mirror) {
	uid := m.GetUID()
	if _, ok := n.kinds[uid]; !ok {
		n.kinds[uid] = m.MirrorKind()
		n.totals[m.MirrorKind()]++
	}
	if c, ok := m.(*containersv1.Container); ok && c.Status.Status.IsActive() {
		n.running[uid] = struct{}{}
	} else {
		delete(n.running, uid)
	}
}

func (n *counts) status() *hubv1.ObjectCounts {
	return &hubv1.ObjectCounts{
		Containers: int32(n.totals[containersv1.KindContainer]), Running: int32(len(n.running)),
		Images: int32(n.totals[containersv1.KindImage]), Volumes: int32(n.totals[containersv1.KindVolume]),
		Networks: int32(n.totals[containersv1.KindNetwork]),
	}
}
