package engine

import (
	"slices"
	"strings"
	"sync"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine/memory"
)

// Model is an engine in memory that keeps the states of its objects. It is safe for
// concurrent use.
type Model struct {
	*memory.Engine

	mu sync.Mutex // guards what follows
	// versions of each object, and how many there are; stamped are the mirrors of
	// each object at its last version.
	versions map[object][]Version
	stamps   int
	stamped  map[object][]string
}

// New returns an engine that has nothing. The name goes into the IDs.
func New(name string) *Model {
	m := &Model{Engine: memory.New(name), versions: map[object][]Version{}, stamped: map[object][]string{}}
	m.Observe(m.stamp)
	return m
}

// ImageRefs returns the IDs and the tags of all images, each sorted.
func (m *Model) ImageRefs() []string {
	var ids, tags []string
	for _, img := range m.Images() {
		ids = append(ids, img.ID)
		tags = append(tags, img.Tags...)
	}
	slices.Sort(tags)
	return append(ids, tags...)
}

// IsFree reports whether the engine would remove the object of an image, a volume or
// a network now. An image with several tags does not count.
func (m *Model) IsFree(mirror containersv1.Mirror) bool {
	key := engine.KeyOf(mirror)
	if key.Kind == containersv1.KindContainer || len(m.ImageTags(key.ID)) > 1 {
		return false
	}
	return m.Refusal(key, engine.VerbRemove) == nil
}

// Refuses reports whether the engine would refuse now what a mirror requests: to
// remove an image, a volume or a network, or to start a container.
func (m *Model) Refuses(mirror containersv1.Mirror) bool {
	key := engine.KeyOf(mirror)
	if c, ok := mirror.(*containersv1.Container); ok {
		_, err := m.Container(key.ID)
		return err == nil && c.Spec.State == containersv1.StateRunning && m.Refusal(key, engine.VerbStart) != nil
	}
	err := m.Refusal(key, engine.VerbRemove)
	return err != nil && !engine.IsNotFound(err)
}

// Latest is the last state of an object.
type Latest struct {
	Kind containersv1.Kind
	Name string
	Version
}

// Latest returns the last state of every object that there ever was, sorted by kind
// and name.
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

func (m *Model) with(f func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f()
}
