package world

import (
	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/cluster"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/fate"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/laws"
)

// side is one of the homes of the mirrors, in which users act.
type side struct {
	*cluster.Cluster
	laws *laws.Laws
	// namespace of the mirrors; empty if the App names it.
	namespace string
}

// suffix distinguishes the users of a hub in the trace.
func (s *side) suffix() string {
	if s.namespace != "" {
		return " of the hub"
	}
	return ""
}

// locally makes an act of users one in the API server of the machine.
func locally(do func(*world, *side, *fate.Dice)) func(*world, *fate.Dice) {
	return func(w *world, d *fate.Dice) { do(w, w.local, d) }
}

// onHub makes an act of users one on the hub.
func onHub(do func(*world, *side, *fate.Dice)) func(*world, *fate.Dice) {
	return func(w *world, d *fate.Dice) { do(w, w.far, d) }
}

// someMirror returns a mirror of a kind, or of any kind that users change; nil if there
// is none.
func (s *side) someMirror(d *fate.Dice, kind containersv1.Kind) containersv1.Mirror {
	var some []containersv1.Mirror
	for _, m := range s.Mirrors() {
		if m.MirrorKind() == kind || kind == "" && m.MirrorKind() != containersv1.KindContainerNamespace {
			some = append(some, m)
		}
	}
	if len(some) == 0 {
		return nil
	}
	return fate.Pick(d, some)
}
