package engine

import (
	"maps"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// volume is one volume.
type volume struct {
	name    string
	created *metav1.MicroTime
}

func (v *volume) mirror() *containersv1.Volume {
	out := &containersv1.Volume{}
	out.Name = containersv1.VolumeResourceName(v.name)
	out.Status = containersv1.VolumeStatus{
		Name: v.name, Namespace: containersv1.MobyNamespace, Driver: "local",
		Mountpoint: "/volumes/" + v.name, Scope: "local", CreatedAt: v.created,
	}
	return out
}

// CreateVolume is docker volume create.
func (m *Model) CreateVolume(name string) { m.with(func() { m.makeVolume(name) }) }

func (m *Model) makeVolume(name string) {
	if m.volumes[name] == nil {
		m.volumes[name] = &volume{name: name, created: m.now()}
	}
	m.emit(containersv1.KindVolume, name, "create")
	m.stampVolume(name)
}

// VolumeNames are the names of all volumes, sorted.
func (m *Model) VolumeNames() (names []string) {
	m.with(func() { names = slices.Sorted(maps.Keys(m.volumes)) })
	return names
}

// RemoveVolume is docker volume rm.
func (m *Model) RemoveVolume(name string) (err error) {
	m.with(func() {
		if m.volumes[name] == nil {
			err = notFound("get %s: no such volume", name)
			return
		}
		for _, id := range slices.Sorted(maps.Keys(m.containers)) {
			if slices.Contains(m.containers[id].volumes, name) {
				err = conflict("remove %s: volume is in use - [%s]", name, id)
				return
			}
		}
		delete(m.volumes, name)
		m.emit(containersv1.KindVolume, name, "destroy")
		m.stampVolume(name)
	})
	return err
}

// PruneVolumes is docker volume prune: one event, which names no volume.
func (m *Model) PruneVolumes() {
	m.with(func() {
		used := map[string]bool{}
		for _, c := range m.containers {
			for _, name := range c.volumes {
				used[name] = true
			}
		}
		for _, name := range slices.Sorted(maps.Keys(m.volumes)) {
			if !used[name] {
				delete(m.volumes, name)
				m.stampVolume(name)
			}
		}
		m.emit(containersv1.KindVolume, "", "prune")
	})
}

// Refuses is whether the engine would refuse to remove the object of a mirror
// now. The model stays as it is.
func (m *Model) Refuses(mirror containersv1.Mirror) (yes bool) {
	m.with(func() {
		switch o := mirror.(type) {
		case *containersv1.Image:
			img := m.resolve(o.DisplayName())
			yes = img != nil && img.id == o.Status.ID && m.userOf(img) != nil && len(img.tags) <= 1
		case *containersv1.Volume:
			for _, c := range m.containers {
				yes = yes || slices.Contains(c.volumes, o.Status.Name)
			}
		case *containersv1.Container:
			c := m.containers[o.Name]
			yes = c != nil && (c.startError != "" || c.dead || c.removing) && o.Spec.State == containersv1.StateRunning
		}
	})
	return yes
}
