package docker

import (
	"context"

	"github.com/moby/moby/client"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
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

// PauseContainer implements API.
func (d *httpAPI) PauseContainer(ctx context.Context, id string) error {
	return d.command(ctx, func(cli *client.Client) error {
		_, err := cli.ContainerPause(ctx, id, client.ContainerPauseOptions{})
		return err
	})
}

// KillContainer implements API.
func (d *httpAPI) KillContainer(ctx context.Context, id string) error {
	return d.command(ctx, func(cli *client.Client) error {
		_, err := cli.ContainerKill(ctx, id, client.ContainerKillOptions{})
		return err
	})
}

// Remove implements API.
func (d *httpAPI) Remove(ctx context.Context, kind containersv1.Kind, id string) error {
	row, err := rowOf(d.kinds, kind)
	if err != nil {
		return err
	}
	return row.remove(ctx, d, id)
}
