package world

import (
	"fmt"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/fate"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/machine"
)

// endMachine ends an engine with its machine.
func (w *world) endMachine(d *fate.Dice) {
	m := w.used(d)
	if !m.Managed {
		return
	}
	w.disturb()
	remains := fate.Pick(d, []machine.Presence{machine.Broken, machine.Absent})
	w.Note("outside", fmt.Sprintf("%s ends, %s remains", m.Name, remains))
	m.End(remains)
}

// freezeEngine makes an engine hang for a while.
func (w *world) freezeEngine(d *fate.Dice) {
	m := w.used(d)
	w.disturb()
	w.Note("outside", "freeze "+string(m.Name))
	m.Link.Freeze()
	frozen := d.Between(time.Second, 70*time.Second)
	w.each(func(s *side) { s.laws.Shaken(frozen + 45*time.Second) })
	w.after(frozen, func() { w.disturb(); m.Link.Thaw() })
}

// cutOffEngine ends an engine for a while. The machine keeps running.
func (w *world) cutOffEngine(d *fate.Dice) {
	m := w.used(d)
	if !m.Reachable() || m.Link.Down() != nil {
		return
	}
	w.disturb()
	w.Note("outside", "engine away on "+string(m.Name))
	m.CutOff()
	if d.Chance(0.1) {
		m.Model.Wipe()
	}
	w.after(d.Between(10*time.Millisecond, 30*time.Second), func() {
		w.disturb()
		m.Restore()
	})
}

func (w *world) breakWatches(*fate.Dice) {
	w.each(func(s *side) { s.laws.Shaken(5 * time.Second) })
	w.cluster.BreakWatches()
}

// crashActors makes the next messages of a role end in a panic.
func (w *world) crashActors(d *fate.Dice) {
	role := fate.Pick(d, w.tree.Roles())
	for range 1 + d.N(3)*d.N(3) {
		w.scheduler.Crash(role)
	}
}

func (w *world) crashServer(*fate.Dice) {
	w.with(func() {
		if w.server != nil {
			w.server.crash()
		}
	})
}

// missDriver makes a driver unavailable for a while.
func (w *world) missDriver(d *fate.Dice) {
	m := fate.Pick(d, w.machines)
	w.disturb()
	m.SetMissing(fmt.Errorf("simulated: %s is not installed", m.Name))
	w.after(d.Between(time.Second, time.Minute), func() { w.disturb(); m.SetMissing(nil) })
}

// restart stops the daemon in order. Another one follows.
func (w *world) restart(d *fate.Dice) {
	keep := d.Chance(0.6)
	if !keep {
		w.disturb()
	}
	w.order(order{keepVM: keep})
}
