package dockertest

import (
	"context"
	"slices"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"
)

// Purge removes every object but the predefined networks, so that the next test begins
// with an empty engine. It runs after the test, whose context has ended.
func (f *Fixture) Purge() {
	f.tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), fixtureTimeout)
	defer cancel()
	containers, err := f.cli.ContainerList(ctx, client.ContainerListOptions{All: true})
	f.check("list containers", err)
	for _, c := range containers.Items {
		_, err := f.cli.ContainerRemove(ctx, c.ID, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
		f.check("remove container", err)
	}
	networks, err := f.cli.NetworkList(ctx, client.NetworkListOptions{})
	f.check("list networks", err)
	for _, n := range networks.Items {
		if !slices.Contains([]string{"bridge", "host", "none"}, n.Name) {
			_, err := f.cli.NetworkRemove(ctx, n.ID, client.NetworkRemoveOptions{})
			f.check("remove network", err)
		}
	}
	volumes, err := f.cli.VolumeList(ctx, client.VolumeListOptions{})
	f.check("list volumes", err)
	for _, v := range volumes.Items {
		_, err := f.cli.VolumeRemove(ctx, v.Name, client.VolumeRemoveOptions{Force: true})
		f.check("remove volume", err)
	}
	f.purgeImages(ctx)
}

// purgeImages removes images until none is listed: an image that another one is built
// on can be removed after the other one.
func (f *Fixture) purgeImages(ctx context.Context) {
	f.tb.Helper()
	for {
		images, err := f.cli.ImageList(ctx, client.ImageListOptions{})
		f.check("list images", err)
		if len(images.Items) == 0 {
			return
		}
		removed := 0
		for _, image := range images.Items {
			_, err := f.cli.ImageRemove(ctx, image.ID, client.ImageRemoveOptions{Force: true, PruneChildren: true})
			if err == nil {
				removed++
			} else if !errdefs.IsConflict(err) && !errdefs.IsNotFound(err) {
				f.check("remove image", err)
			}
		}
		if removed == 0 {
			f.tb.Fatalf("these images cannot be removed: %+v", images.Items)
		}
	}
}
