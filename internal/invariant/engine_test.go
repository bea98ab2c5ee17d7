package invariant

import (
	"context"
	"fmt"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine/docker"
)

// fromEngine reads through the interface that the daemon uses. It works with every
// implementation, and finds no error in their mappings.
func fromEngine(engine docker.API) Source {
	return func(ctx context.Context) (Picture, error) {
		p := newCollector()
		containers, err := engine.ListContainers(ctx)
		if err != nil {
			return Picture{}, fmt.Errorf("list the engine's containers: %w", err)
		}
		images, err := engine.ListImages(ctx)
		if err != nil {
			return Picture{}, fmt.Errorf("list the engine's images: %w", err)
		}
		volumes, err := engine.ListVolumes(ctx)
		if err != nil {
			return Picture{}, fmt.Errorf("list the engine's volumes: %w", err)
		}
		for _, volume := range volumes {
			p.mirror(volume)
		}
		networks, err := engine.ListNetworks(ctx)
		if err != nil {
			return Picture{}, fmt.Errorf("list the engine's networks: %w", err)
		}
		p.each(ctx, containersv1.KindNetwork, networks, func(ctx context.Context, id string) error {
			network, err := engine.Network(ctx, id)
			if err == nil {
				p.mirror(network)
			}
			return err
		})
		p.each(ctx, containersv1.KindContainer, containers, func(ctx context.Context, id string) error {
			container, err := engine.Container(ctx, id)
			if err == nil {
				p.mirror(container)
			}
			return err
		})
		p.each(ctx, containersv1.KindImage, docker.ImageIDs(images), func(ctx context.Context, id string) error {
			tags, err := engine.Images(ctx, id)
			for _, image := range tags {
				p.mirror(image)
			}
			return err
		})
		return p.finish(ctx)
	}
}
