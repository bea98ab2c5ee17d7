package engine

import (
	"slices"
	"strings"
	"time"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// Version is one state that an object has had.
type Version struct {
	// Serial counts the changes of all objects of this engine.
	Serial int
	At     time.Time
	// Object as its mirror should have it; nil from its removal on.
	Object containersv1.Mirror
	// Silent is set when no event tells of it.
	Silent bool
}

// object names an object by its mirror.
type object struct {
	kind containersv1.Kind
	name string
}

// Versions are all states that an object has had, oldest first.
func (m *Model) Versions(kind containersv1.Kind, name string) (out []Version) {
	m.with(func() { out = slices.Clone(m.versions[object{kind, name}]) })
	return out
}

// Absent is whether the engine did not have an object at any moment since a time.
func (m *Model) Absent(kind containersv1.Kind, name string, since time.Time) (yes bool) {
	m.with(func() {
		all := m.versions[object{kind, name}]
		yes = len(all) == 0 || all[0].At.After(since)
		for i, v := range all {
			past := i+1 < len(all) && all[i+1].At.Before(since)
			yes = yes || v.Object == nil && !past
		}
	})
	return yes
}

// Latest is the last state of an object.
type Latest struct {
	Kind containersv1.Kind
	Name string
	Version
}

// Latest is the last state of every object that there ever was, sorted by kind and name.
func (m *Model) Latest() (out []Latest) {
	m.with(func() {
		for key, all := range m.versions {
			out = append(out, Latest{key.kind, key.name, all[len(all)-1]})
		}
	})
	slices.SortFunc(out, func(a, b Latest) int {
		return strings.Compare(string(a.Kind)+a.Name, string(b.Kind)+b.Name)
	})
	return out
}

// Free is whether no container uses the object of an image or a volume.
func (m *Model) Free(mirror containersv1.Mirror) (yes bool) {
	m.with(func() {
		switch o := mirror.(type) {
		case *containersv1.Image:
			img := m.images[o.Status.ID]
			yes = img != nil && m.userOf(img) == nil && len(img.tags) <= 1
		case *containersv1.Volume:
			yes = true
			for _, c := range m.containers {
				yes = yes && !slices.Contains(c.volumes, o.Status.Name)
			}
		}
	})
	return yes
}

// stamp takes note of what an object is now; nil is nothing. Each change of the
// model ends with it.
func (m *Model) stamp(kind containersv1.Kind, name string, now containersv1.Mirror) {
	key := object{kind, name}
	all := m.versions[key]
	if n := len(all); n > 0 {
		last := all[n-1].Object
		if last == nil && now == nil || last != nil && now != nil && last.SameStatus(now) {
			return
		}
	}
	m.stamps++
	m.versions[key] = append(all, Version{Serial: m.stamps, At: time.Now(), Object: now})
}

func (m *Model) stampContainer(id string) {
	if c := m.containers[id]; c != nil {
		m.stamp(containersv1.KindContainer, id, c.mirror())
		return
	}
	m.stamp(containersv1.KindContainer, id, nil)
}

// silence notes that no event tells of a container's last change.
func (m *Model) silence(id string) {
	all := m.versions[object{containersv1.KindContainer, id}]
	all[len(all)-1].Silent = true
}

func (m *Model) stampVolume(name string) {
	resource := containersv1.VolumeResourceName(name)
	if v := m.volumes[name]; v != nil {
		m.stamp(containersv1.KindVolume, resource, v.mirror())
		return
	}
	m.stamp(containersv1.KindVolume, resource, nil)
}

// stampImage takes note of the mirrors that an image has now, one for each tag,
// and of those that it has no more.
func (m *Model) stampImage(id string) {
	var names []string
	if img := m.images[id]; img != nil {
		for _, o := range m.shown(img) {
			names = append(names, o.Name)
			m.stamp(containersv1.KindImage, o.Name, o)
		}
	}
	for _, name := range m.stamped[id] {
		if !slices.Contains(names, name) {
			m.stamp(containersv1.KindImage, name, nil)
		}
	}
	m.stamped[id] = names
}
