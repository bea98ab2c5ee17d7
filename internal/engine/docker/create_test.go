package docker

import (
	"context"
	"log/slog"
	"testing"

	"github.com/containerd/errdefs"
	"k8s.io/apimachinery/pkg/types"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
)

// volumeAPI is an engine with a volume of another client. To it, the creation of a volume
// that exists is a success.
type volumeAPI struct {
	quietAPI
	// isLate is set if the other client creates the volume after it was looked for.
	isLate    bool
	isCreated *bool
}

func (volumeAPI) Requested(context.Context, containersv1.Kind, types.UID) ([]string, error) {
	return nil, nil
}

func (a volumeAPI) Inspect(_ context.Context, _ containersv1.Kind, name string) ([]containersv1.Mirror, error) {
	if a.isLate {
		return nil, errdefs.ErrNotFound
	}
	return []containersv1.Mirror{volumeNamed(name)}, nil
}

func (a volumeAPI) CreateVolume(context.Context, containersv1.VolumeCreateRequestSpec, types.UID) (map[string]string, error) {
	*a.isCreated = true
	return map[string]string{"owner": "another client"}, nil
}

func TestForeignVolumeIsNotAdopted(t *testing.T) {
	for when, isLate := range map[string]bool{"before": false, "meanwhile": true} {
		isCreated := false
		e := New(volumeAPI{isLate: isLate, isCreated: &isCreated}, Settings{}, slog.New(slog.DiscardHandler))
		_, err := e.(engine.Creator).CreateVolume(t.Context(), containersv1.VolumeCreateRequestSpec{Name: "data"}, "request")
		if !engine.IsConflict(err) {
			t.Errorf("a volume that another client has created %s: error %v, want a conflict", when, err)
		}
		if isCreated != isLate {
			t.Errorf("a volume that another client has created %s: the engine was asked to create it: %t", when, isCreated)
		}
	}
}
