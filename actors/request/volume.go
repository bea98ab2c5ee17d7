package request

import (
	"cmp"
	"context"
	"fmt"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// createVolume carries out a VolumeCreateRequest.
func createVolume(ctx context.Context, t Task) Outcome {
	spec := t.Request.(*containersv1.VolumeCreateRequest).Spec
	spec.Name = cmp.Or(spec.Name, t.defaultName())
	key, err := t.Engine.CreateVolume(ctx, spec, t.UID())
	if err != nil {
		return FailedWith(ctx, err)
	}
	return Completed(fmt.Sprintf("volume %s was created", key.ID), resultOf(key))
}
