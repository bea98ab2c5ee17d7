package supervisor

import (
	"fmt"
	"time"

	simengine "github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/engine"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/fate"
)

func (w *world) actContainer(d *fate.Dice) {
	m := w.used(d)
	ids := m.model.ContainerIDs()
	if len(ids) == 0 || d.Chance(0.25) {
		m.addContainer(d)
		return
	}
	id := fate.Pick(d, ids)
	verb := d.N(13)
	w.trace.note("outside", fmt.Sprintf("container %d %.12s", verb, id))
	switch verb {
	case 0, 1:
		_ = m.model.Start(id)
	case 2:
		if _, err := m.model.BeginStop(id); err == nil {
			m.model.EndStop(id)
		}
	case 3:
		_ = m.model.Pause(id)
	case 4:
		_ = m.model.Unpause(id)
	case 5:
		_ = m.model.Die(id, int32(d.N(256)))
	case 6:
		_ = m.model.Crash(id, 1)
	case 7:
		_ = m.model.Rename(id, fmt.Sprint("/renamed", d.N(1000)))
	case 8:
		words := ""
		if d.Chance(0.5) {
			words = "exec: no such file"
		}
		_ = m.model.SetStartError(id, words)
	case 9:
		_ = m.model.RemoveContainer(id, true)
	case 10, 11:
		_ = m.model.Connect(id, verb == 10)
	case 12:
		if m.model.BeginRemoval(id) == nil {
			w.after(d.Between(time.Millisecond, 3*time.Second), func() { m.model.FailRemoval(id) })
		}
	}
}

func (m *machine) addContainer(d *fate.Dice) {
	refs := m.model.ImageRefs()
	if len(refs) == 0 {
		return
	}
	spec := simengine.ContainerSpec{
		Name: fmt.Sprint("c", d.N(1000)), Image: fate.Pick(d, refs), AutoRemove: d.Chance(0.15),
		StopDelay: d.Between(0, 10*time.Second), NoNetwork: d.Chance(0.1),
	}
	if d.Chance(0.3) {
		spec.Volumes = []string{fmt.Sprint("Vol_", d.N(6))}
	}
	if d.Chance(0.15) {
		spec.StartError = "exec: no such file"
	}
	if id, err := m.model.CreateContainer(spec); err == nil && d.Chance(0.6) {
		_ = m.model.Start(id)
	}
}

func (w *world) actImage(d *fate.Dice) {
	m := w.used(d)
	refs := m.model.ImageRefs()
	tag := fmt.Sprintf("app%d:v%d", d.N(3), d.N(3))
	verb := d.N(14)
	w.trace.note("outside", fmt.Sprintf("image %d %s", verb, tag))
	switch {
	case len(refs) == 0 || verb < 3:
		tags := []string{tag}
		if d.Chance(0.3) {
			tags = append(tags, fmt.Sprint("other:", d.N(4)))
		}
		if d.Chance(0.2) {
			tags = nil
		}
		m.model.AddImage(d.Chance(0.3), tags...)
	case verb < 6:
		_ = m.model.Tag(fate.Pick(d, refs), tag)
	case verb < 10:
		_ = m.model.RemoveImage(fate.Pick(d, refs), d.Chance(0.3))
	case verb == 10:
		_ = m.model.RemoveImageOnly(fate.Pick(d, refs))
	case verb == 11:
		_ = m.model.Build(fate.Pick(d, refs))
	default:
		w.commit(d, m, tag)
	}
}

// commit makes an image of a container, on one without a tag perhaps.
func (w *world) commit(d *fate.Dice, m *machine, tag string) {
	ids := m.model.ContainerIDs()
	if len(ids) == 0 {
		return
	}
	if d.Chance(0.5) {
		tag = ""
	}
	_ = m.model.Commit(fate.Pick(d, ids), tag)
}

func (w *world) actVolume(d *fate.Dice) {
	m := w.used(d)
	name := fmt.Sprint("Vol_", d.N(6))
	w.trace.note("outside", "volume "+name)
	if d.Chance(0.1) {
		m.model.PruneVolumes()
		return
	}
	if d.Chance(0.5) {
		m.model.CreateVolume(name)
		return
	}
	_ = m.model.RemoveVolume(name)
}
