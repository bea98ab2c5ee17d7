package dockersim

import (
	"net/http"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine/memory"
)

func (e *Engine) serveVolumeList(w http.ResponseWriter, r request) error {
	volumes := e.Volumes()
	list := make([]map[string]any, 0, len(volumes))
	for _, v := range volumes {
		if r.hasLabel(v.Labels) {
			list = append(list, wireVolume(v))
		}
	}
	writeJSON(w, http.StatusOK, map[string]any{"Volumes": list, "Warnings": nil})
	return nil
}

func (e *Engine) serveVolumeInspect(w http.ResponseWriter, r request) error {
	v, err := e.Volume(r.name)
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, wireVolume(v))
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
	v, err := e.CreateVolume(VolumeSpec{Name: wire.Name, Driver: wire.Driver, Labels: wire.Labels, Options: wire.DriverOpts})
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusCreated, wireVolume(v))
	return nil
}

func (e *Engine) serveVolumeRemove(w http.ResponseWriter, r request) error {
	return answer(w, e.RemoveVolume(r.name, r.flag("force")))
}

func (e *Engine) serveVolumePrune(w http.ResponseWriter, _ request) error {
	e.PruneVolumes()
	writeJSON(w, http.StatusOK, map[string]any{"VolumesDeleted": nil, "SpaceReclaimed": 0})
	return nil
}

// wireVolume is the same in a list and alone.
func wireVolume(v memory.Volume) map[string]any {
	return map[string]any{
		"Name": v.Name, "Driver": v.Driver, "Scope": "local", "Mountpoint": v.Mountpoint(),
		"Labels": v.Labels, "Options": v.Options,
		"CreatedAt": v.Created.Truncate(time.Second).Format(time.RFC3339),
	}
}
