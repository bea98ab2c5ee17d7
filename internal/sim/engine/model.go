package engine

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/containerd/errdefs"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine/docker"
)

// Model is what the engine has. It is safe for concurrent use.
type Model struct {
	name string

	mu         sync.Mutex
	serial     int
	containers map[string]*container
	images     map[string]*image
	tags       map[string]string // tag to image ID
	volumes    map[string]*volume
	remembered []docker.Event
	streams    map[*stream]struct{}
	offset     time.Duration
	// versions of each object, and how many there are; stamped are the mirrors of
	// each image at its last version.
	versions map[object][]Version
	stamps   int
	stamped  map[string][]string
}

// New returns an engine that has nothing. The name goes into the IDs.
func New(name string) *Model {
	return &Model{
		name: name, containers: map[string]*container{}, images: map[string]*image{},
		tags: map[string]string{}, volumes: map[string]*volume{}, streams: map[*stream]struct{}{},
		versions: map[object][]Version{}, stamped: map[string][]string{},
	}
}

// SetClockOffset sets how far the engine's clock is ahead.
func (m *Model) SetClockOffset(d time.Duration) { m.with(func() { m.offset = d }) }

func (m *Model) with(f func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f()
}

func (m *Model) id(kind string) string {
	m.serial++
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %s %d", m.name, kind, m.serial))
	return hex.EncodeToString(sum[:])
}

// now is the engine's clock, to the microseconds that a resource holds.
func (m *Model) now() *metav1.MicroTime {
	return &metav1.MicroTime{Time: time.Now().Add(m.offset).UTC().Truncate(time.Microsecond)}
}

// Objects are all objects as their mirrors should have them, sorted by kind and
// name.
func (m *Model) Objects() (out []containersv1.Mirror) {
	m.with(func() {
		for _, id := range slices.Sorted(maps.Keys(m.containers)) {
			out = append(out, m.containers[id].mirror())
		}
		for _, id := range slices.Sorted(maps.Keys(m.images)) {
			for _, img := range m.shown(m.images[id]) {
				out = append(out, img)
			}
		}
		for _, name := range slices.Sorted(maps.Keys(m.volumes)) {
			out = append(out, m.volumes[name].mirror())
		}
	})
	return out
}

// Stop is the end of the engine's process: streams end and what runs exits. The
// events that it remembers are forgotten.
func (m *Model) Stop() {
	m.with(func() {
		for _, id := range slices.Sorted(maps.Keys(m.containers)) {
			if c := m.containers[id]; c.running {
				c.exit(m.now(), 137)
				m.stampContainer(c.id)
			}
		}
		m.remembered = nil
		m.endStreams(errClosed)
	})
}

// Wipe takes everything away, as a new disk does.
func (m *Model) Wipe() {
	m.with(func() {
		m.containers, m.images = map[string]*container{}, map[string]*image{}
		m.tags, m.volumes = map[string]string{}, map[string]*volume{}
		m.remembered = nil
		for key := range m.versions {
			m.stamp(key.kind, key.name, nil)
		}
		clear(m.stamped)
	})
}

func notFound(format string, args ...any) error {
	return fmt.Errorf(format+": %w", append(args, errdefs.ErrNotFound)...)
}

func conflict(format string, args ...any) error {
	return fmt.Errorf(format+": %w", append(args, errdefs.ErrConflict)...)
}
