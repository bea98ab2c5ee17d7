package world

import (
	"fmt"
	"time"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine/memory"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/cluster"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/fate"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/machine"
)

// races returns events that happen at the moments at which one side works on another one.
// Independent events seldom meet like this.
func races() []act {
	return []act{
		{"change of mind", 6, locally((*world).changeMind)},
		{"hopeless start", 5, (*world).requestHopelessStart},
		{"delete in use", 5, (*world).deleteUsedVolume},
		{"vanish", 5, (*world).vanish},
	}
}

// changeMind requests several states of a container, while the engine works on the former.
func (w *world) changeMind(on *side, d *fate.Dice) {
	m := on.someMirror(d, containersv1.KindContainer)
	if m == nil {
		return
	}
	for range 2 + d.N(3) {
		w.desire(on, keyOf(m), fate.Pick(d, []containersv1.DesiredState{containersv1.StateRunning, containersv1.StateCreated}))
		w.fates.Pass(d.Between(0, 5*time.Second))
	}
}

func (w *world) desire(on *side, key cluster.Key, state containersv1.DesiredState) {
	w.Note("user"+on.suffix(), fmt.Sprintf("desire %s for %.12s", state, key.Name))
	if on.SetDesiredState(key, state) {
		on.laws.Requested(key)
	}
}

// requestHopelessStart requests the start of a container that cannot start, and whose failure
// no event reports.
func (w *world) requestHopelessStart(d *fate.Dice) {
	key, ok := w.newContainer(w.used(d), d, memory.ContainerSpec{NoNetwork: true, StartError: "exec: no such file"})
	if !ok {
		return
	}
	w.fates.Pass(d.Between(10*time.Millisecond, 3*time.Second))
	w.desire(w.local, key, containersv1.StateRunning)
}

// newContainer creates a container, and returns the key of its mirror.
func (w *world) newContainer(m *machine.Machine, d *fate.Dice, spec memory.ContainerSpec) (key cluster.Key, ok bool) {
	refs, app := m.Model.ImageRefs(), w.cluster.App()
	if len(refs) == 0 || app == nil {
		return cluster.Key{}, false
	}
	spec.Name, spec.Image = fmt.Sprint("c", d.N(1000)), fate.Pick(d, refs)
	id, err := m.Model.CreateContainer(spec)
	return cluster.Key{Kind: containersv1.KindContainer, Namespace: app.Spec.Namespace, Name: id}, err == nil
}

// deleteUsedVolume deletes the mirror of a volume, which the engine refuses, and then removes
// the container that uses the volume.
func (w *world) deleteUsedVolume(d *fate.Dice) {
	m, name := w.used(d), fmt.Sprint("Used_", d.N(1000))
	key, ok := w.newContainer(m, d, memory.ContainerSpec{Volumes: []string{name}})
	if !ok {
		return
	}
	w.fates.Pass(d.Between(10*time.Millisecond, 3*time.Second))
	for _, mirror := range w.local.Mirrors() {
		if mirror.MirrorKind() == containersv1.KindVolume && mirror.DisplayName() == name {
			w.Note("user", "delete volume "+name)
			if w.local.Delete(keyOf(mirror)) {
				w.laws.Deleted(mirror)
			}
		}
	}
	w.fates.Pass(d.Between(10*time.Millisecond, 3*time.Second))
	w.Note("outside", "remove the container of volume "+name)
	_ = m.Model.RemoveContainer(key.Name, true)
}

// seenAfter is how long after its creation every watch has reported a mirror. One that is
// removed by force earlier, while a watch is interrupted, is created again only with the next
// write to it: a watch that has never reported it cannot report its end.
const seenAfter = 30 * time.Second

// vanish removes a mirror by force while rdd writes to it.
func (w *world) vanish(d *fate.Dice) {
	mirror := w.local.someMirror(d, containersv1.KindContainer)
	if mirror == nil || time.Since(mirror.GetCreationTimestamp().Time) < seenAfter {
		return
	}
	w.Note("outside", fmt.Sprintf("vanish %.12s", mirror.GetName()))
	_ = w.used(d).Model.RenameContainer(mirror.GetName(), fmt.Sprint("/renamed", d.N(1000)))
	w.fates.Pass(d.Between(0, 50*time.Millisecond))
	w.cluster.Vanish(keyOf(mirror))
}
