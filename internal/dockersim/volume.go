package dockersim

import (
	"maps"
	"regexp"
	"slices"
	"time"
)

// VolumeSpec says what a volume is like.
type VolumeSpec struct {
	// Name; a made-up one when empty.
	Name string
	// Driver, local by default.
	Driver string
	// Labels and Options of the volume.
	Labels, Options map[string]string
}

type volume struct {
	spec      VolumeSpec
	created   time.Time
	anonymous bool
}

// AddVolume creates a volume, as docker volume create does. It panics on a
// name that an engine would refuse.
func (e *Engine) AddVolume(name string) { e.AddVolumeSpec(VolumeSpec{Name: name}) }

// AddVolumeSpec is AddVolume with more to say. It returns the name.
func (e *Engine) AddVolumeSpec(spec VolumeSpec) string {
	e.mu.Lock()
	defer e.mu.Unlock()
	v, err := e.createVolume(spec)
	must(err)
	return v.spec.Name
}

// RemoveVolume removes a volume, as docker volume rm does.
func (e *Engine) RemoveVolume(name string, force bool) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.deleteVolume(name, force)
}

// PruneVolumes removes the volumes that no container uses, as docker volume prune
// does: with one event, which names none of them.
func (e *Engine) PruneVolumes() {
	e.mu.Lock()
	defer e.mu.Unlock()
	used := make(map[string]bool)
	for _, c := range e.containers {
		for _, name := range c.spec.Volumes {
			used[name] = true
		}
	}
	maps.DeleteFunc(e.volumes, func(name string, _ *volume) bool { return !used[name] })
	e.emit("volume", "prune", "", map[string]string{"reclaimed": "0"})
}

// VolumeNames are the names of all volumes, sorted.
func (e *Engine) VolumeNames() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Sorted(maps.Keys(e.volumes))
}

// legalName is dockerd's rule for the names of volumes and containers.
var legalName = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_.-]+$`)

// createVolume returns the volume that is there already; that sends the event
// again, as dockerd 20.10 does.
func (e *Engine) createVolume(spec VolumeSpec) (*volume, error) {
	anonymous := spec.Name == ""
	if anonymous {
		spec.Name = e.nextID("volume")
	}
	if spec.Driver == "" {
		spec.Driver = "local"
	}
	if !legalName.MatchString(spec.Name) {
		return nil, badRequest("create %s: %q includes invalid characters for a local volume name, only \"[a-zA-Z0-9][a-zA-Z0-9_.-]\" are allowed. If you intended to pass a host directory, use absolute path",
			spec.Name, spec.Name)
	}
	v, ok := e.volumes[spec.Name]
	if !ok {
		v = &volume{spec: spec, created: e.now(), anonymous: anonymous}
		e.volumes[spec.Name] = v
	}
	e.emit("volume", "create", spec.Name, map[string]string{"driver": v.spec.Driver})
	return v, nil
}

func (e *Engine) deleteVolume(name string, force bool) error {
	v, ok := e.volumes[name]
	if !ok {
		if force {
			return nil
		}
		return notFound("get %s: no such volume", name)
	}
	for _, c := range e.containers {
		if slices.Contains(c.spec.Volumes, name) {
			return conflict("remove %s: volume is in use - [%s]", name, c.id)
		}
	}
	delete(e.volumes, name)
	e.emit("volume", "destroy", name, map[string]string{"driver": v.spec.Driver})
	return nil
}
