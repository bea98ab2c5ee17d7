package engine

import (
	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine/docker"
)

// list lists the objects of a kind as the Docker Engine API does: the list of volumes
// has every field, and that of images their tags and digests.
func (m *Model) list(kind containersv1.Kind) (out []docker.Listed) {
	for _, mirror := range m.MirrorsOf(kind) {
		object := docker.Listed{ID: mirror.ObjectID()}
		switch v := mirror.(type) {
		case *containersv1.Volume:
			object.Mirror = v
		case *containersv1.Image:
			if n := len(out); n > 0 && out[n-1].ID == object.ID {
				out[n-1].Tags = append(out[n-1].Tags, v.Status.RepoTag)
				continue
			}
			if object.Digests = v.Status.RepoDigests; v.Status.RepoTag != "" {
				object.Tags = []string{v.Status.RepoTag}
			}
		}
		out = append(out, object)
	}
	return out
}
