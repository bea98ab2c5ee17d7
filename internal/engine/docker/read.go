package docker

import (
	"context"

	"github.com/moby/moby/client"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// read makes one call of moby's client and returns the body of the answer.
func (d *httpAPI) read(ctx context.Context, doing string, call func(context.Context, *client.Client) error) ([]byte, error) {
	cli, err := d.client(ctx)
	if err != nil {
		return nil, failed(doing, err)
	}
	ctx, body := withRawBody(ctx)
	if err := call(ctx, cli); err != nil {
		return nil, failed(doing, err)
	}
	return body.Bytes(), nil
}

// ListContainers implements API.
func (d *httpAPI) ListContainers(ctx context.Context) ([]string, error) {
	const doing = "list containers"
	raw, err := d.read(ctx, doing, func(ctx context.Context, cli *client.Client) error {
		_, err := cli.ContainerList(ctx, client.ContainerListOptions{All: true})
		return err
	})
	if err != nil {
		return nil, err
	}
	return mapIDs(doing, raw)
}

// Container implements API.
func (d *httpAPI) Container(ctx context.Context, id string) (*containersv1.Container, error) {
	doing := "inspect container " + id
	raw, err := d.read(ctx, doing, func(ctx context.Context, cli *client.Client) error {
		_, err := cli.ContainerInspect(ctx, id, client.ContainerInspectOptions{})
		return err
	})
	if err != nil {
		return nil, err
	}
	container, err := mapContainer(raw)
	if err != nil {
		return nil, failed(doing, err)
	}
	return container, nil
}

// ListImages implements API.
func (d *httpAPI) ListImages(ctx context.Context) ([]ListedImage, error) {
	const doing = "list images"
	raw, err := d.read(ctx, doing, func(ctx context.Context, cli *client.Client) error {
		_, err := cli.ImageList(ctx, client.ImageListOptions{})
		return err
	})
	if err != nil {
		return nil, err
	}
	images, err := mapListedImages(raw)
	if err != nil {
		return nil, failed(doing, err)
	}
	return images, nil
}

// Images implements API.
func (d *httpAPI) Images(ctx context.Context, ref string) ([]*containersv1.Image, error) {
	doing := "inspect image " + ref
	raw, err := d.read(ctx, doing, func(ctx context.Context, cli *client.Client) error {
		_, err := cli.ImageInspect(ctx, ref)
		return err
	})
	if err != nil {
		return nil, err
	}
	images, err := mapImages(raw)
	if err != nil {
		return nil, failed(doing, err)
	}
	return images, nil
}

// ListVolumes implements API.
func (d *httpAPI) ListVolumes(ctx context.Context) ([]*containersv1.Volume, error) {
	const doing = "list volumes"
	raw, err := d.read(ctx, doing, func(ctx context.Context, cli *client.Client) error {
		_, err := cli.VolumeList(ctx, client.VolumeListOptions{})
		return err
	})
	if err != nil {
		return nil, err
	}
	volumes, warnings, err := mapVolumes(raw)
	if err != nil {
		return nil, failed(doing, err)
	}
	for _, warning := range warnings {
		// A volume driver that does not answer hides volumes, and one without a name
		// cannot be mirrored.
		d.logger.WarnContext(ctx, "the engine lists volumes with a warning", "warning", warning)
	}
	return volumes, nil
}

// Volume implements API.
func (d *httpAPI) Volume(ctx context.Context, name string) (*containersv1.Volume, error) {
	doing := "inspect volume " + name
	raw, err := d.read(ctx, doing, func(ctx context.Context, cli *client.Client) error {
		_, err := cli.VolumeInspect(ctx, name, client.VolumeInspectOptions{})
		return err
	})
	if err != nil {
		return nil, err
	}
	volume, err := mapVolume(raw)
	if err != nil {
		return nil, failed(doing, err)
	}
	return volume, nil
}

// mapIDs returns the IDs in a list of containers or networks, each once, in the engine's order.
func mapIDs(doing string, raw []byte) ([]string, error) {
	var wire []struct {
		ID string `json:"Id"`
	}
	if err := decode(raw, &wire); err != nil {
		return nil, failed(doing, err)
	}
	ids := make([]string, 0, len(wire))
	seen := make(map[string]bool, len(wire))
	for _, object := range wire {
		if object.ID != "" && !seen[object.ID] {
			seen[object.ID] = true
			ids = append(ids, object.ID)
		}
	}
	return ids, nil
}
