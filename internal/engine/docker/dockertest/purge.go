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
	f.purgeContainers(ctx)
	networks, err := f.cli.NetworkList(ctx, client.NetworkListOptions{})
	f.check("list networks", err)
	for _, n := range networks.Items {
		if !slices.Contains([]string{"bridge", "host", "none"}, n.Name) {
			_, err := f.cli.NetworkRemove(ctx, n.ID, client.NetworkRemoveOptions{})
			f.checkRemoved("remove network", err)
		}
	}
	volumes, err := f.cli.VolumeList(ctx, client.VolumeListOptions{})
	f.check("list volumes", err)
	for _, v := range volumes.Items {
		_, err := f.cli.VolumeRemove(ctx, v.Name, client.VolumeRemoveOptions{Force: true})
		f.checkRemoved("remove volume", err)
	}
	f.purgeImages(ctx)
	f.purgeBuildCache(ctx)
}

// purgeContainers removes containers until none is listed: the engine may be removing one
// already, with an anonymous volume, because it was created with --rm.
func (f *Fixture) purgeContainers(ctx context.Context) {
	f.tb.Helper()
	for {
		containers, err := f.cli.ContainerList(ctx, client.ContainerListOptions{All: true})
		f.check("list containers", err)
		if len(containers.Items) == 0 {
			return
		}
		for _, c := range containers.Items {
			_, err := f.cli.ContainerRemove(ctx, c.ID, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
			if !errdefs.IsConflict(err) {
				f.checkRemoved("remove container", err)
			}
		}
	}
}

// checkRemoved fails the test unless the object was removed, by this call or another one.
func (f *Fixture) checkRemoved(what string, err error) {
	f.tb.Helper()
	if !errdefs.IsNotFound(err) {
		f.check(what, err)
	}
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
