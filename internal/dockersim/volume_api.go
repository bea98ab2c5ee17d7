package dockersim

import (
	"maps"
	"net/http"
	"slices"
	"time"
)

func (e *Engine) serveVolumeList(w http.ResponseWriter, _ request) error {
	e.mu.Lock()
	list := make([]map[string]any, 0, len(e.volumes))
	for _, name := range slices.Sorted(maps.Keys(e.volumes)) {
		list = append(list, e.volumes[name].inspect())
	}
	e.mu.Unlock()
	writeJSON(w, http.StatusOK, map[string]any{"Volumes": list, "Warnings": nil})
	return nil
}

func (e *Engine) serveVolumeInspect(w http.ResponseWriter, r request) error {
	e.mu.Lock()
	v, ok := e.volumes[r.name]
	e.mu.Unlock()
	if !ok {
		return notFound("get %s: no such volume", r.name)
	}
	writeJSON(w, http.StatusOK, v.inspect())
	return nil
}

func (e *Engine) serveVolumeCreate(w http.ResponseWriter, r request) error {
	var wire struct {
		Name, Driver       string
		Labels, DriverOpts map[string]string
	}
	if err := readJSON(r, &wire); err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	v, err := e.createVolume(VolumeSpec{Name: wire.Name, Driver: wire.Driver, Labels: wire.Labels, Options: wire.DriverOpts})
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusCreated, v.inspect())
	return nil
}

func (e *Engine) serveVolumeRemove(w http.ResponseWriter, r request) error {
	if err := e.RemoveVolume(r.name, r.flag("force")); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// inspect is the same in a list and alone. A volume never changes.
func (v *volume) inspect() map[string]any {
	return map[string]any{
		"Name": v.spec.Name, "Driver": v.spec.Driver, "Scope": "local",
		"Mountpoint": "/var/lib/docker/volumes/" + v.spec.Name + "/_data",
		"Labels":     v.spec.Labels, "Options": v.spec.Options,
		"CreatedAt": v.created.Truncate(time.Second).Format(time.RFC3339),
	}
}
