package request

import (
	"cmp"
	"context"
	"fmt"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// createNetwork carries out a NetworkCreateRequest.
func createNetwork(ctx context.Context, t Task) Outcome {
	spec := t.Request.(*containersv1.NetworkCreateRequest).Spec
	spec.Name = cmp.Or(spec.Name, t.defaultName())
	key, err := t.Engine.CreateNetwork(ctx, spec, t.UID())
	if err != nil {
		return FailedWith(ctx, err)
	}
	return Completed(fmt.Sprintf("network %s was created", spec.Name), resultOf(key))
}
