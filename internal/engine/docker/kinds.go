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
// sync. The only namespace is in no list. Each network is inspected, because the
// engine's list does not have the containers.
func kindTable() []kindRow {
	return []kindRow{
		{
			kind: containersv1.KindContainer, noun: "container", events: events.ContainerEventType,
			list:    listCall((*client.Client).ContainerList, client.ContainerListOptions{All: true}),
			listed:  mapListed,
			inspect: inspectCall((*client.Client).ContainerInspect, client.ContainerInspectOptions{}),
			mapped:  func(raw []byte) ([]containersv1.Mirror, error) { return mirrorOf(mapContainer(raw)) },
			remove:  removal((*client.Client).ContainerRemove, client.ContainerRemoveOptions{Force: true}),
		},
		{
			kind: containersv1.KindImage, noun: "image", events: events.ImageEventType, namesNone: true,
			list:   listCall((*client.Client).ImageList, client.ImageListOptions{}),
			listed: mapListed,
			inspect: func(ctx context.Context, cli *client.Client, id string) error {
				_, err := cli.ImageInspect(ctx, id)
				return err
			},
			mapped: func(raw []byte) ([]containersv1.Mirror, error) { return mirrorsOf(mapImages(raw)) },
			remove: removeImage,
		},
		{
			kind: containersv1.KindVolume, noun: "volume", events: events.VolumeEventType, namesNone: true,
			list:    listCall((*client.Client).VolumeList, client.VolumeListOptions{}),
			listed:  mapVolumes,
			inspect: inspectCall((*client.Client).VolumeInspect, client.VolumeInspectOptions{}),
			mapped:  func(raw []byte) ([]containersv1.Mirror, error) { return mirrorOf(mapVolume(raw)) },
			remove:  removal((*client.Client).VolumeRemove, client.VolumeRemoveOptions{}),
		},
		{
			kind: containersv1.KindNetwork, noun: "network", events: events.NetworkEventType, namesNone: true,
			list:    listCall((*client.Client).NetworkList, client.NetworkListOptions{}),
			listed:  mapListed,
			inspect: inspectCall((*client.Client).NetworkInspect, client.NetworkInspectOptions{}),
			mapped:  func(raw []byte) ([]containersv1.Mirror, error) { return mirrorOf(mapNetwork(raw)) },
			remove:  removal((*client.Client).NetworkRemove, client.NetworkRemoveOptions{}),
		},
	}
}

// rowOf returns the row of a kind in the table.
func rowOf(table []kindRow, kind containersv1.Kind) (kindRow, error) {
	for _, row := range table {
		if row.kind == kind {
			return row, nil
		}
	}
	return kindRow{}, fmt.Errorf("calls for a %s: %w", kind, errdefs.ErrNotImplemented)
}

func listCall[O, R any](list func(*client.Client, context.Context, O) (R, error), options O) func(context.Context, *client.Client) error {
	return func(ctx context.Context, cli *client.Client) error {
		_, err := list(cli, ctx, options)
		return err
	}
}

func inspectCall[O, R any](inspect func(*client.Client, context.Context, string, O) (R, error), options O) func(context.Context, *client.Client, string) error {
	return func(ctx context.Context, cli *client.Client, id string) error {
		_, err := inspect(cli, ctx, id, options)
		return err
	}
}

func removal[O, R any](remove func(*client.Client, context.Context, string, O) (R, error), options O) func(context.Context, *httpAPI, string) error {
	return func(ctx context.Context, d *httpAPI, id string) error {
		return d.command(ctx, func(cli *client.Client) error {
			_, err := remove(cli, ctx, id, options)
			return err
		})
	}
}
