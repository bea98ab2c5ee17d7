package memory

import (
	"regexp"
	"slices"
	"time"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// VolumeSpec describes a volume to create.
type VolumeSpec struct {
	// Name; generated when empty.
	Name string
	// Driver, local by default.
	Driver string
	// Labels and Options of the volume.
	Labels, Options map[string]string
}

// Volume is a volume as it was at one moment. A volume never changes.
type Volume struct {
	VolumeSpec
	Created   time.Time
	anonymous bool
}

// AddVolume creates a volume.
func (e *Engine) AddVolume(name string) { e.AddVolumeSpec(VolumeSpec{Name: name}) }

// AddVolumeSpec creates a volume and returns its name.
func (e *Engine) AddVolumeSpec(spec VolumeSpec) string {
	v, err := e.CreateVolume(spec)
	must(err)
	return v.Name
}

// CreateVolume creates a volume, as docker volume create does.
func (e *Engine) CreateVolume(spec VolumeSpec) (Volume, error) {
	defer e.lock()()
	v, err := e.createVolume(spec)
	if err != nil {
		return Volume{}, err
	}
	return *v, nil
}

// RemoveVolume removes a volume, as docker volume rm does.
func (e *Engine) RemoveVolume(name string, force bool) error {
	defer e.lock()()
	return e.deleteVolume(name, force)
}

// PruneVolumes removes the volumes that no container uses, as docker volume prune
// does: with one event, which names none of them.
func (e *Engine) PruneVolumes() {
	defer e.lock()()
	for _, name := range sortedKeys(e.volumes) {
		if e.userOfVolume(name) == nil {
			delete(e.volumes, name)
			e.changed(containersv1.KindVolume, name)
		}
	}
	e.emit("volume", "prune", "", map[string]string{"reclaimed": "0"})
}

// VolumeNames returns the names of all volumes, sorted.
func (e *Engine) VolumeNames() []string {
	defer e.lock()()
	return sortedKeys(e.volumes)
}

// Volumes returns all volumes, sorted by name.
func (e *Engine) Volumes() []Volume {
	defer e.lock()()
	out := make([]Volume, 0, len(e.volumes))
	for _, name := range sortedKeys(e.volumes) {
		out = append(out, *e.volumes[name])
	}
	return out
}

// Volume returns one volume.
func (e *Engine) Volume(name string) (Volume, error) {
	defer e.lock()()
	v, ok := e.volumes[name]
	if !ok {
		return Volume{}, errNoVolume(name)
	}
	return *v, nil
}

// legalName is dockerd's rule for the names of volumes and containers.
var legalName = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_.-]+$`)

func errNoVolume(name string) error { return notFound("get %s: no such volume", name) }

// createVolume returns the volume of this name if there is one; that sends the
// event again, as dockerd 20.10 does.
func (e *Engine) createVolume(spec VolumeSpec) (*Volume, error) {
	anonymous := spec.Name == ""
	if anonymous {
		spec.Name = e.nextID("volume")
	}
	if spec.Driver == "" {
		spec.Driver = "local"
	}
	if !legalName.MatchString(spec.Name) {
		return nil, invalid("create %s: %q includes invalid characters for a local volume name, only \"[a-zA-Z0-9][a-zA-Z0-9_.-]\" are allowed. If you intended to pass a host directory, use absolute path",
			spec.Name, spec.Name)
	}
	v, ok := e.volumes[spec.Name]
	if !ok {
		v = &Volume{VolumeSpec: spec, Created: e.now(), anonymous: anonymous}
		e.volumes[spec.Name] = v
		e.changed(containersv1.KindVolume, spec.Name)
	}
	e.emit("volume", "create", spec.Name, map[string]string{"driver": v.Driver})
	return v, nil
}

func (e *Engine) deleteVolume(name string, force bool) error {
	v, ok := e.volumes[name]
	if !ok {
		if force {
			return nil
		}
		return errNoVolume(name)
	}
	if err := e.volumeRefusal(name); err != nil {
		return err
	}
	delete(e.volumes, name)
	e.changed(containersv1.KindVolume, name)
	e.emit("volume", "destroy", name, map[string]string{"driver": v.Driver})
	return nil
}

// volumeRefusal returns the reason why a volume cannot be removed, if there is one.
func (e *Engine) volumeRefusal(name string) error {
	if user := e.userOfVolume(name); user != nil {
		return conflict("remove %s: volume is in use - [%s]", name, user.ID)
	}
	return nil
}

// userOfVolume returns a container that uses a volume, nil if there is none.
func (e *Engine) userOfVolume(name string) *Container {
	return e.firstContainer(func(c *Container) bool { return slices.Contains(c.Spec.Volumes, name) })
}
