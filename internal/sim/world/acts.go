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

// acts returns all events that can happen without a hub.
func acts() []act {
	return append([]act{
		{"run", 6, (*world).setRunning},
		{"driver", 3, (*world).setDriver},
		{"engine name", 1, (*world).setEngine},
		{"vm properties", 1, (*world).setProperties},
		{"delete app", 1, (*world).deleteApp},
		{"desired state", 14, locally((*world).setDesiredState)},
		{"action", 10, locally((*world).requestAction)},
		{"delete mirror", 10, locally((*world).deleteMirror)},
		{"disown", 4, (*world).disown},
		{"hold", 3, func(w *world, d *fate.Dice) { w.setFinalizer(w.local, d, true) }},
		{"let go", 3, func(w *world, d *fate.Dice) { w.setFinalizer(w.local, d, false) }},
		{"touch", 6, locally((*world).touch)},
		{"container", 22, (*world).changeContainer},
		{"image", 16, (*world).changeImage},
		{"volume", 8, (*world).changeVolume},
		{"network", 6, (*world).changeNetwork},
		{"request", 16, locally((*world).createRequest)},
		{"delete request", 2, locally((*world).deleteRequest)},
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
	}, races()...)
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

func keyOf(m containersv1.Mirror) cluster.Key {
	return cluster.Key{Kind: m.MirrorKind(), Namespace: m.GetNamespace(), Name: m.GetName()}
}
