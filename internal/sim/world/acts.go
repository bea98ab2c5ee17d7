package world

import (
	"time"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/cluster"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/fate"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/machine"
)

// act is one event from outside.
type act struct {
	name   string
	weight int
	do     func(*world, *fate.Dice)
}

// acts returns all events that can happen.
func acts() []act {
	return []act{
		{"run", 6, (*world).setRunning},
		{"driver", 3, (*world).setDriver},
		{"engine name", 1, (*world).setEngine},
		{"vm properties", 1, (*world).setProperties},
		{"delete app", 1, (*world).deleteApp},
		{"desired state", 14, (*world).setDesiredState},
		{"action", 10, (*world).requestAction},
		{"delete mirror", 10, (*world).deleteMirror},
		{"disown", 4, (*world).disown},
		{"hold", 3, func(w *world, d *fate.Dice) { w.setFinalizer(d, foreign, true) }},
		{"let go", 3, func(w *world, d *fate.Dice) { w.setFinalizer(d, foreign, false) }},
		{"touch", 6, (*world).touch},
		{"container", 22, (*world).changeContainer},
		{"image", 16, (*world).changeImage},
		{"volume", 8, (*world).changeVolume},
		{"network", 6, (*world).changeNetwork},
		{"request", 16, (*world).createRequest},
		{"delete request", 2, (*world).deleteRequest},
		{"vm dies", 3, (*world).endMachine},
		{"engine frozen", 3, (*world).freezeEngine},
		{"engine away", 4, (*world).cutOffEngine},
		{"streams", 3, func(w *world, d *fate.Dice) { w.used(d).Model.CloseStreams() }},
		{"watches", 3, (*world).breakWatches},
		{"crash", 8, (*world).crashActors},
		{"server", 1, (*world).crashServer},
		{"missing", 1, (*world).missDriver},
		{"kill", 3, func(w *world, _ *fate.Dice) { w.order(order{kill: true}) }},
		{"restart", 2, (*world).restart},
	}
}

// draw draws one act by weight.
func draw(d *fate.Dice, all []act) act {
	total := 0
	for _, a := range all {
		total += a.weight
	}
	n := d.N(total)
	for _, a := range all {
		if n -= a.weight; n < 0 {
			return a
		}
	}
	return all[0]
}

// after calls f later.
func (w *world) after(d time.Duration, f func()) {
	go func() {
		w.fates.Pass(d)
		f()
	}()
}

// used returns the machine that the App uses, and sometimes another one.
func (w *world) used(d *fate.Dice) *machine.Machine {
	if app := w.cluster.App(); app != nil && app.Status.VM.Driver != "" && !d.Chance(0.1) {
		return w.machine(app.Status.VM.Driver)
	}
	return fate.Pick(d, w.machines)
}

// someMirror returns a mirror of a kind, or of any kind that users change; nil if there
// is none.
func (w *world) someMirror(d *fate.Dice, kind containersv1.Kind) containersv1.Mirror {
	var some []containersv1.Mirror
	for _, m := range w.cluster.Mirrors() {
		if m.MirrorKind() == kind || kind == "" && m.MirrorKind() != containersv1.KindContainerNamespace {
			some = append(some, m)
		}
	}
	if len(some) == 0 {
		return nil
	}
	return fate.Pick(d, some)
}

func keyOf(m containersv1.Mirror) cluster.Key {
	return cluster.Key{Kind: m.MirrorKind(), Namespace: m.GetNamespace(), Name: m.GetName()}
}
