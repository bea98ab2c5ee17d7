package docker

import (
	"context"
	"strings"

	"github.com/moby/moby/client"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
)

// manyReferences are the engine's words, in both generations, for an image that it does
// not remove by its ID because several repositories refer to it. Images that are built
// on it and running containers take precedence as the reason.
const manyReferences = "image is referenced in multiple repositories"

// removeImage removes a tag, or an image without tags.
func removeImage(ctx context.Context, d *httpAPI, ref string) error {
	err := d.removeReference(ctx, ref)
	if !engine.IsConflict(err) || !strings.Contains(err.Error(), manyReferences) {
		return err
	}
	digests, readErr := d.onlyDigests(ctx, ref)
	if readErr != nil {
		return readErr
	}
	if len(digests) == 0 {
		return err
	}
	for _, digest := range digests {
		if err := d.removeReference(ctx, digest); err != nil && !engine.IsNotFound(err) {
			return err
		}
	}
	// The image went with its last reference, unless it got a tag meanwhile.
	return nil
}

// removeReference removes one reference, and the image with its last one. Untagged
// parents go too, as with docker rmi: otherwise they would turn up as dangling
// images.
func (d *httpAPI) removeReference(ctx context.Context, ref string) error {
	return d.command(ctx, func(cli *client.Client) error {
		_, err := cli.ImageRemove(ctx, ref, client.ImageRemoveOptions{PruneChildren: true})
		return err
	})
}

// onlyDigests returns the references by digest of an image that has no tag and
// that no container uses; none for any other image. The engine notices a container
// only at the last reference, when the others are gone.
func (d *httpAPI) onlyDigests(ctx context.Context, id string) ([]string, error) {
	images, err := d.Inspect(ctx, containersv1.KindImage, id)
	if err != nil {
		return nil, err
	}
	image := images[0].(*containersv1.Image).Status
	if image.ID != id || image.RepoTag != "" {
		return nil, nil
	}
	used, err := d.isUsed(ctx, id)
	if used || err != nil {
		return nil, err
	}
	return image.RepoDigests, nil
}

// isUsed reports whether a container was made from an image.
func (d *httpAPI) isUsed(ctx context.Context, id string) (bool, error) {
	const doing = "list the containers of an image"
	raw, err := d.read(ctx, doing, func(ctx context.Context, cli *client.Client) error {
		_, err := cli.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: make(client.Filters).Add("ancestor", id)})
		return err
	})
	if err != nil {
		return false, err
	}
	var wire []struct{ ImageID string }
	if err := decode(raw, &wire); err != nil {
		return false, failed(doing, err)
	}
	for _, container := range wire {
		if container.ImageID == id {
			return true, nil
		}
	}
	return false, nil
}
