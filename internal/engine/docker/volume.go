package docker

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// wireVolume is what rdd reads of a volume, in a list or alone.
type wireVolume struct {
	Name       string
	Driver     string
	Mountpoint string
	CreatedAt  string
	Scope      string
	Labels     map[string]string
	Options    map[string]string
}

// mapVolumes turns a list of volumes into their mirrors, sorted by name, and
// returns the engine's warnings: a volume driver that does not answer hides volumes.
// A volume that cannot be mirrored is left out with a warning.
func mapVolumes(raw []byte) ([]Listed, []string, error) {
	var wire struct {
		Volumes  []json.RawMessage
		Warnings []string
	}
	if err := decode(raw, &wire); err != nil {
		return nil, nil, err
	}
	volumes := make([]Listed, 0, len(wire.Volumes))
	warnings := wire.Warnings
	for _, one := range wire.Volumes {
		volume, err := mapVolume(one)
		if err != nil {
			warnings = append(warnings, err.Error())
			continue
		}
		volumes = append(volumes, Listed{ID: volume.Status.Name, Mirror: volume})
	}
	slices.SortFunc(volumes, func(a, b Listed) int { return strings.Compare(a.ID, b.ID) })
	return volumes, warnings, nil
}

// mapVolume turns one volume into its mirror.
func mapVolume(raw []byte) (*containersv1.Volume, error) {
	var wire wireVolume
	if err := decode(raw, &wire); err != nil {
		return nil, err
	}
	if wire.Name == "" {
		return nil, errors.New("the engine gave the volume no name")
	}
	name := toValidUTF8(wire.Name)
	return &containersv1.Volume{
		ObjectMeta: metav1.ObjectMeta{Name: containersv1.VolumeResourceName(name)},
		Status: containersv1.VolumeStatus{
			Name:       name,
			Namespace:  containersv1.MobyNamespace,
			Driver:     toValidUTF8(wire.Driver),
			Mountpoint: toValidUTF8(wire.Mountpoint),
			Labels:     mapToValidUTF8(wire.Labels),
			Options:    mapToValidUTF8(wire.Options),
			Scope:      toValidUTF8(wire.Scope),
			CreatedAt:  microTime(wire.CreatedAt),
		},
	}, nil
}
