package docker

import (
	"context"

	"github.com/moby/moby/client"
)

// command makes one call that changes something. Its error has the engine's words,
// which a user reads in a condition.
func (d *httpAPI) command(ctx context.Context, call func(*client.Client) error) error {
	cli, err := d.client(ctx)
	if err != nil {
		return err
	}
	return refused(call(cli))
}

// StartContainer implements API.
func (d *httpAPI) StartContainer(ctx context.Context, id string) error {
	return d.command(ctx, func(cli *client.Client) error {
		_, err := cli.ContainerStart(ctx, id, client.ContainerStartOptions{})
		return err
	})
}

// UnpauseContainer implements API.
func (d *httpAPI) UnpauseContainer(ctx context.Context, id string) error {
	return d.command(ctx, func(cli *client.Client) error {
		_, err := cli.ContainerUnpause(ctx, id, client.ContainerUnpauseOptions{})
		return err
	})
}

// RemoveContainer implements API.
func (d *httpAPI) RemoveContainer(ctx context.Context, id string, force bool) error {
	return d.command(ctx, func(cli *client.Client) error {
		_, err := cli.ContainerRemove(ctx, id, client.ContainerRemoveOptions{Force: force})
		return err
	})
}

// RemoveVolume implements API.
func (d *httpAPI) RemoveVolume(ctx context.Context, name string) error {
	return d.command(ctx, func(cli *client.Client) error {
		_, err := cli.VolumeRemove(ctx, name, client.VolumeRemoveOptions{})
		return err
	})
}
