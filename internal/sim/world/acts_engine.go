package world

import (
	"fmt"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine/memory"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/fate"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/machine"
)

func (w *world) changeContainer(d *fate.Dice) {
	m := w.used(d)
	ids := m.Model.ContainerIDs()
	if len(ids) == 0 || d.Chance(0.25) {
		addContainer(m, d)
		return
	}
	id := fate.Pick(d, ids)
	verb := d.N(16)
	w.Note("outside", fmt.Sprintf("container %d %.12s", verb, id))
	switch verb {
	case 0, 1:
		_ = m.Model.StartContainer(id)
	case 2:
		if _, running, err := m.Model.BeginStop(id); err == nil && running != "" {
			m.Model.EndStop(id)
		}
	case 3:
		_ = m.Model.PauseContainer(id)
	case 4:
		_ = m.Model.UnpauseContainer(id)
	case 5:
		_ = m.Model.Die(id, d.N(256))
	case 6:
		_ = m.Model.Crash(id, 1)
	case 7:
		_ = m.Model.RenameContainer(id, fmt.Sprint("/renamed", d.N(1000)))
	case 8:
		words := ""
		if d.Chance(0.5) {
			words = "exec: no such file"
		}
		_ = m.Model.SetStartError(id, words)
	case 9:
		_ = m.Model.RemoveContainer(id, true)
	case 10, 11:
		_ = m.Model.ConnectContainer(w.network(d, m), id, verb == 10)
	case 13, 14, 15:
		_ = m.Model.Probe(id, d.N(2), fmt.Sprint("output ", d.N(2)))
	case 12:
		if fail, err := m.Model.FailRemoval(id); err == nil {
			w.after(d.Between(time.Millisecond, 3*time.Second), fail)
		}
	}
}

// labelKeys returns the labels that objects of the engine have at times.
func labelKeys() []string { return []string{"com.example/a", "b"} }

// someLabels returns labels of an object. Kubernetes does not allow all of them.
func someLabels(d *fate.Dice) map[string]string {
	labels := map[string]string{}
	for _, key := range labelKeys() {
		if d.Chance(0.4) {
			labels[key] = fate.Pick(d, []string{"one", "two", "not valid"})
		}
	}
	return labels
}

func addContainer(m *machine.Machine, d *fate.Dice) {
	refs := m.Model.ImageRefs()
	if len(refs) == 0 {
		return
	}
	spec := memory.ContainerSpec{
		Name: fmt.Sprint("c", d.N(1000)), Image: fate.Pick(d, refs), AutoRemove: d.Chance(0.15),
		StopDelay: d.Between(0, 10*time.Second), NoNetwork: d.Chance(0.1),
		Published: []memory.PortBinding{{Port: "80/tcp"}}, Labels: someLabels(d), HealthRetries: d.N(3),
	}
	if d.Chance(0.3) {
		spec.Volumes = []string{fmt.Sprint("Vol_", d.N(6))}
	}
	if d.Chance(0.15) {
		spec.StartError = "exec: no such file"
	}
	if id, err := m.Model.CreateContainer(spec); err == nil && d.Chance(0.6) {
		_ = m.Model.StartContainer(id)
	}
}

func (w *world) changeImage(d *fate.Dice) {
	m := w.used(d)
	refs := m.Model.ImageRefs()
	tag := someTag(d)
	verb := d.N(14)
	w.Note("outside", fmt.Sprintf("image %d %s", verb, tag))
	switch {
	case len(refs) == 0 || verb < 3:
		tags := []string{tag}
		if d.Chance(0.3) {
			tags = append(tags, fmt.Sprint("other:", d.N(4)))
		}
		if d.Chance(0.2) {
			tags = nil
		}
		if d.Chance(0.3) && len(tags) > 0 {
			m.Model.Pull(tags[0])
			return
		}
		m.Model.AddImage(tags...)
	case verb < 6:
		_ = m.Model.Tag(fate.Pick(d, refs), tag)
	case verb < 10:
		_ = m.Model.RemoveImage(fate.Pick(d, refs), d.Chance(0.3))
	case verb == 10:
		_, _ = m.Model.DeleteImage(fate.Pick(d, refs), false, false)
	case verb == 11:
		m.Model.Build(fate.Pick(d, refs))
	default:
		w.commit(d, m, tag)
	}
}

// commit creates an image of a container, with or without a tag.
func (w *world) commit(d *fate.Dice, m *machine.Machine, tag string) {
	ids := m.Model.ContainerIDs()
	if len(ids) == 0 {
		return
	}
	if d.Chance(0.5) {
		tag = ""
	}
	_, _ = m.Model.CommitContainer(fate.Pick(d, ids), tag)
}

func (w *world) changeVolume(d *fate.Dice) {
	m := w.used(d)
	name := fmt.Sprint("Vol_", d.N(6))
	w.Note("outside", "volume "+name)
	if d.Chance(0.1) {
		m.Model.PruneVolumes()
		return
	}
	if d.Chance(0.5) {
		m.Model.AddVolumeSpec(memory.VolumeSpec{Name: name, Labels: someLabels(d)})
		return
	}
	_ = m.Model.RemoveVolume(name, false)
}

// network returns the name of a network, which may not exist.
func (w *world) network(d *fate.Dice, m *machine.Machine) string {
	if d.Chance(0.3) {
		return fate.Pick(d, m.Model.Networks()).ID
	}
	return fmt.Sprint("net_", d.N(3))
}

func (w *world) changeNetwork(d *fate.Dice) {
	m := w.used(d)
	name := w.network(d, m)
	w.Note("outside", "network "+name)
	switch {
	case d.Chance(0.1):
		m.Model.PruneNetworks()
	case d.Chance(0.5):
		_, _ = m.Model.CreateNetwork(memory.NetworkSpec{Name: name})
	default:
		_ = m.Model.RemoveNetwork(name)
	}
}
