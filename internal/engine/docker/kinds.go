package docker

import (
	"context"
	"fmt"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/events"
	"github.com/moby/moby/client"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// kindRow is what this package knows of a mirrored kind.
type kindRow struct {
	kind containersv1.Kind
	// noun names an object of the kind in errors.
	noun string
	// list and inspect make the calls whose answers listed and mapped decode. listed
	// also returns warnings.
	list    func(context.Context, *client.Client) error
	listed  func(raw []byte) ([]Listed, []string, error)
	inspect func(ctx context.Context, cli *client.Client, id string) error
	mapped  func(raw []byte) ([]containersv1.Mirror, error)
	// remove removes an object as API.Remove defines it.
	remove func(ctx context.Context, d *httpAPI, id string) error
	// events is the type of the engine's events about objects of the kind.
	events events.Type
	// namesNone is set when an event may report a change without an ID, such as the
	// prune of all that is unused. A list follows.
	namesNone bool
}

// kindTable returns one row for each kind that the engine lists, in the order of a full
// sync. The only namespace is in no list.
func kindTable() []kindRow {
	return []kindRow{containerRow(), imageRow(), volumeRow(), networkRow()}
}

// rowOf returns the row of a kind.
func rowOf(kind containersv1.Kind) (kindRow, error) {
	for _, row := range kindTable() {
		if row.kind == kind {
			return row, nil
		}
	}
	return kindRow{}, fmt.Errorf("calls for a %s: %w", kind, errdefs.ErrNotImplemented)
}

func containerRow() kindRow {
	return kindRow{
		kind: containersv1.KindContainer, noun: "container", events: events.ContainerEventType,
		list: func(ctx context.Context, cli *client.Client) error {
			_, err := cli.ContainerList(ctx, client.ContainerListOptions{All: true})
			return err
		},
		listed: mapListed,
		inspect: func(ctx context.Context, cli *client.Client, id string) error {
			_, err := cli.ContainerInspect(ctx, id, client.ContainerInspectOptions{})
			return err
		},
		mapped: func(raw []byte) ([]containersv1.Mirror, error) { return mirrorOf(mapContainer(raw)) },
		remove: func(ctx context.Context, d *httpAPI, id string) error {
			return d.command(ctx, func(cli *client.Client) error {
				_, err := cli.ContainerRemove(ctx, id, client.ContainerRemoveOptions{Force: true})
				return err
			})
		},
	}
}

func imageRow() kindRow {
	return kindRow{
		kind: containersv1.KindImage, noun: "image", events: events.ImageEventType, namesNone: true,
		list: func(ctx context.Context, cli *client.Client) error {
			_, err := cli.ImageList(ctx, client.ImageListOptions{})
			return err
		},
		listed: mapListed,
		inspect: func(ctx context.Context, cli *client.Client, id string) error {
			_, err := cli.ImageInspect(ctx, id)
			return err
		},
		mapped: func(raw []byte) ([]containersv1.Mirror, error) { return mirrorsOf(mapImages(raw)) },
		remove: removeImage,
	}
}

func volumeRow() kindRow {
	return kindRow{
		kind: containersv1.KindVolume, noun: "volume", events: events.VolumeEventType, namesNone: true,
		list: func(ctx context.Context, cli *client.Client) error {
			_, err := cli.VolumeList(ctx, client.VolumeListOptions{})
			return err
		},
		listed: mapVolumes,
		inspect: func(ctx context.Context, cli *client.Client, id string) error {
			_, err := cli.VolumeInspect(ctx, id, client.VolumeInspectOptions{})
			return err
		},
		mapped: func(raw []byte) ([]containersv1.Mirror, error) { return mirrorOf(mapVolume(raw)) },
		remove: func(ctx context.Context, d *httpAPI, id string) error {
			return d.command(ctx, func(cli *client.Client) error {
				_, err := cli.VolumeRemove(ctx, id, client.VolumeRemoveOptions{})
				return err
			})
		},
	}
}

// networkRow inspects each network, because the engine's list does not have the
// containers.
func networkRow() kindRow {
	return kindRow{
		kind: containersv1.KindNetwork, noun: "network", events: events.NetworkEventType, namesNone: true,
		list: func(ctx context.Context, cli *client.Client) error {
			_, err := cli.NetworkList(ctx, client.NetworkListOptions{})
			return err
		},
		listed: mapListed,
		inspect: func(ctx context.Context, cli *client.Client, id string) error {
			_, err := cli.NetworkInspect(ctx, id, client.NetworkInspectOptions{})
			return err
		},
		mapped: func(raw []byte) ([]containersv1.Mirror, error) { return mirrorOf(mapNetwork(raw)) },
		remove: func(ctx context.Context, d *httpAPI, id string) error {
			return d.command(ctx, func(cli *client.Client) error {
				_, err := cli.NetworkRemove(ctx, id, client.NetworkRemoveOptions{})
				return err
			})
		},
	}
}
