package engine

import (
	"slices"
	"time"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine/memory"
)

// Version is one state that an object has had.
type Version struct {
	// Serial counts the changes of all objects of this engine.
	Serial int
	At     time.Time
	// Object as its mirror should have it; nil from its removal on.
	Object containersv1.Mirror
	// Silent is set when no event reports it.
	Silent bool
}

// object names an object by its mirror.
type object struct {
	kind containersv1.Kind
	name string
}

// Versions returns all states that an object has had, oldest first.
func (m *Model) Versions(kind containersv1.Kind, name string) (out []Version) {
	m.with(func() { out = slices.Clone(m.versions[object{kind, name}]) })
	return out
}

// WasAbsent reports whether the engine did not have an object at any moment since a
// time.
func (m *Model) WasAbsent(kind containersv1.Kind, name string, since time.Time) bool {
	all := m.Versions(kind, name)
	return len(all) == 0 || all[0].At.After(since) ||
		slices.ContainsFunc(statesSince(all, since), func(v Version) bool { return v.Object == nil })
}

// Existed reports whether the engine had an object at any moment since a time.
func (m *Model) Existed(kind containersv1.Kind, name string, since time.Time) bool {
	return slices.ContainsFunc(statesSince(m.Versions(kind, name), since), func(v Version) bool { return v.Object != nil })
}

// WasIn reports whether a container was running, or was not, at any moment since a
// time. It is true for a container that was removed.
func (m *Model) WasIn(id string, running bool, since time.Time) bool {
	all := m.Versions(containersv1.KindContainer, id)
	if len(all) == 0 || all[len(all)-1].Object == nil {
		return true
	}
	return slices.ContainsFunc(statesSince(all, since), func(v Version) bool {
		c, ok := v.Object.(*containersv1.Container)
		if !ok {
			return false
		}
		state := c.Status.Status
		return (state == containersv1.ContainerRunning || state == containersv1.ContainerRestarting) == running
	})
}

// WasEver reports whether a container was in a state that matches at any moment since a
// time. It is true for a container that was removed.
func (m *Model) WasEver(id string, since time.Time, matches func(*containersv1.ContainerStatus) bool) bool {
	all := m.Versions(containersv1.KindContainer, id)
	if len(all) == 0 {
		return false
	}
	return all[len(all)-1].Object == nil || slices.ContainsFunc(statesSince(all, since), func(v Version) bool {
		c, ok := v.Object.(*containersv1.Container)
		return ok && matches(&c.Status)
	})
}

// statesSince returns the states that lasted until a time or began after it.
func statesSince(all []Version, since time.Time) []Version {
	for i := range all {
		if i+1 == len(all) || !all[i+1].At.Before(since) {
			return all[i:]
		}
	}
	return nil
}

// stamp records what an object is now: its mirrors, of which an image has one for
// each tag, and the end of those that it has no more.
func (m *Model) stamp(change memory.Change) {
	m.mu.Lock()
	defer m.mu.Unlock()
	names := make([]string, 0, len(change.Mirrors))
	for _, mirror := range change.Mirrors {
		names = append(names, mirror.GetName())
		m.add(object{change.Kind, mirror.GetName()}, mirror, change.Unreported)
	}
	of := object{change.Kind, change.ID}
	for _, name := range m.stamped[of] {
		if !slices.Contains(names, name) {
			m.add(object{change.Kind, name}, nil, change.Unreported)
		}
	}
	m.stamped[of] = names
}

// add adds a version unless it equals the last one.
func (m *Model) add(key object, now containersv1.Mirror, silent bool) {
	all := m.versions[key]
	if n := len(all); n > 0 {
		last := all[n-1].Object
		if last == nil && now == nil || last != nil && now != nil && last.SameStatus(now) {
			return
		}
	}
	m.stamps++
	m.versions[key] = append(all, Version{Serial: m.stamps, At: time.Now(), Object: now, Silent: silent})
}
