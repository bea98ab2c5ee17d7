package invariant

import (
	"context"
	"fmt"
	"slices"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine/docker"
)

// listedKinds are the kinds that an engine lists.
func listedKinds() []containersv1.Kind {
	return slices.DeleteFunc(containersv1.Kinds(), func(kind containersv1.Kind) bool { return kind == containersv1.KindContainerNamespace })
}

// fromEngine reads through the interface that the daemon uses. It works with every
// implementation, and finds no error in their mappings.
func fromEngine(engine docker.API) Source {
	return func(ctx context.Context) (Picture, error) {
		p := newCollector()
		for _, kind := range listedKinds() {
			objects, err := engine.List(ctx, kind)
			if err != nil {
				return Picture{}, fmt.Errorf("list the engine's objects of kind %s: %w", kind, err)
			}
			p.each(ctx, kind, docker.IDs(objects), func(ctx context.Context, id string) error {
				mirrors, err := engine.Inspect(ctx, kind, id)
				for _, m := range mirrors {
					p.mirror(m)
				}
				return err
			})
		}
		return p.finish(ctx)
	}
}
