package world

import (
	"fmt"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/cluster"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/fate"
)

// foreign is a finalizer that is not rdd's.
const foreign = "example.com/hold"

func (w *world) setDesiredState(on *side, d *fate.Dice) {
	m := on.someMirror(d, containersv1.KindContainer)
	if m == nil {
		return
	}
	state := fate.Pick(d, []containersv1.DesiredState{
		containersv1.StateRunning, containersv1.StateRunning, containersv1.StateCreated, containersv1.StateCreated, containersv1.StateUnknown,
	})
	w.Note("user"+on.suffix(), fmt.Sprintf("desire %s for %.12s", state, m.GetName()))
	if on.SetDesiredState(keyOf(m), state) {
		on.laws.Requested(keyOf(m))
	}
}

func (w *world) requestAction(on *side, d *fate.Dice) {
	m := on.someMirror(d, containersv1.KindContainer)
	if m == nil {
		return
	}
	action := fate.Pick(d, containersv1.Actions())
	w.Note("user"+on.suffix(), fmt.Sprintf("request %s of %.12s", action, m.GetName()))
	on.RequestAction(keyOf(m), action)
}

func (w *world) deleteMirror(on *side, d *fate.Dice) {
	m := on.someMirror(d, "")
	if m == nil {
		return
	}
	w.Note("user"+on.suffix(), fmt.Sprintf("delete %s %.12s %s", m.MirrorKind(), m.GetName(), m.GetUID()))
	if on.Delete(keyOf(m)) {
		on.laws.Deleted(m)
	}
}

// disown changes a mirror into one that an earlier version of rdd wrote.
func (w *world) disown(d *fate.Dice) {
	m := w.local.someMirror(d, "")
	if m == nil {
		return
	}
	stripped := d.Chance(0.5)
	w.Note("outside", fmt.Sprintf("an earlier rdd wrote %s %.12s, stripped %t", m.MirrorKind(), m.GetName(), stripped))
	w.cluster.Disown(keyOf(m), stripped)
}

// setFinalizer adds or removes a finalizer that is not rdd's.
func (w *world) setFinalizer(on *side, d *fate.Dice, held bool) {
	m := on.someMirror(d, "")
	if m == nil {
		return
	}
	w.Note("user"+on.suffix(), fmt.Sprintf("finalizer %s %t on %s %.12s", foreign, held, m.MirrorKind(), m.GetName()))
	on.SetFinalizer(keyOf(m), foreign, held)
}

// label changes labels of a mirror: a user's own, and some of the engine.
func (w *world) label(on *side, d *fate.Dice) {
	if m := on.someMirror(d, ""); m != nil {
		on.Label(keyOf(m), map[string]string{
			"example.com/note": fmt.Sprint(d.N(3)), fate.Pick(d, labelKeys()): fate.Pick(d, []string{"", "user"}),
		})
	}
}

// touch changes annotations of a mirror, and sometimes of the App.
func (w *world) touch(on *side, d *fate.Dice) {
	if m := on.someMirror(d, ""); m != nil {
		on.Touch(keyOf(m), fmt.Sprint(d.N(1000)))
	}
	w.label(on, d)
	if d.Chance(0.3) {
		w.cluster.Touch(cluster.Key{Kind: "App", Name: appv1.AppName}, fmt.Sprint(d.N(1000)))
	}
}
