package docker

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/moby/moby/client"
	"github.com/moby/moby/client/pkg/versions"
	"k8s.io/apimachinery/pkg/types"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
)

// Requested implements API.
func (d *httpAPI) Requested(ctx context.Context, kind containersv1.Kind, request types.UID) ([]string, error) {
	doing := fmt.Sprintf("find the %s of request %s", kind, request)
	filters := client.Filters{}.Add("label", containersv1.RequestLabel+"="+string(request))
	raw, err := d.read(ctx, doing, func(ctx context.Context, cli *client.Client) (err error) {
		switch kind {
		case containersv1.KindContainer:
			_, err = cli.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: filters})
		case containersv1.KindVolume:
			_, err = cli.VolumeList(ctx, client.VolumeListOptions{Filters: filters})
		case containersv1.KindNetwork:
			_, err = cli.NetworkList(ctx, client.NetworkListOptions{Filters: filters})
		case containersv1.KindContainerNamespace, containersv1.KindImage:
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if kind == containersv1.KindNetwork {
		return mapOldestFirst(doing, raw)
	}
	row, err := rowOf(d.kinds, kind)
	if err != nil {
		return nil, err
	}
	objects, _, err := row.listed(raw)
	if err != nil {
		return nil, failed(doing, err)
	}
	ids := make([]string, len(objects))
	for i, object := range objects {
		ids[i] = object.ID
	}
	slices.Reverse(ids) // the engine lists the youngest container first
	return ids, nil
}

// mapOldestFirst returns the IDs in a list of networks in the order of their creation.
func mapOldestFirst(doing string, raw []byte) ([]string, error) {
	var wire []wireNetwork
	if err := decode(raw, &wire); err != nil {
		return nil, failed(doing, err)
	}
	slices.SortFunc(wire, func(a, b wireNetwork) int {
		one, _ := parseTime(a.Created)
		two, _ := parseTime(b.Created)
		return cmp.Or(one.Compare(two), cmp.Compare(a.ID, b.ID))
	})
	ids := make([]string, len(wire))
	for i, n := range wire {
		ids[i] = n.ID
	}
	return ids, nil
}

// CreateContainer implements API.
func (d *httpAPI) CreateContainer(ctx context.Context, spec containersv1.ContainerCreateRequestSpec, request types.UID) (id string, err error) {
	options, err := containerOptions(spec, request)
	if err != nil {
		return "", err
	}
	err = d.command(ctx, func(cli *client.Client) error {
		if len(options.HostConfig.ExtraHosts) > 0 && !hasHostGateway(ctx, cli) {
			options.HostConfig.ExtraHosts = nil
		}
		created, err := cli.ContainerCreate(ctx, options)
		id = created.ID
		return err
	})
	return id, err
}

// ConnectNetwork implements API.
func (d *httpAPI) ConnectNetwork(ctx context.Context, network, container string) error {
	return d.command(ctx, func(cli *client.Client) error {
		_, err := cli.NetworkConnect(ctx, network, client.NetworkConnectOptions{Container: container})
		return err
	})
}

// DiscardContainer implements API.
func (d *httpAPI) DiscardContainer(ctx context.Context, id string) error {
	return d.command(ctx, func(cli *client.Client) error {
		_, err := cli.ContainerRemove(ctx, id, client.ContainerRemoveOptions{RemoveVolumes: true})
		return err
	})
}

// CreateVolume implements API.
func (d *httpAPI) CreateVolume(ctx context.Context, spec containersv1.VolumeCreateRequestSpec, request types.UID) (labels map[string]string, err error) {
	err = d.command(ctx, func(cli *client.Client) error {
		created, err := cli.VolumeCreate(ctx, client.VolumeCreateOptions{
			Name: spec.Name, Driver: spec.Driver, DriverOpts: spec.Options, Labels: engine.RequestLabels(spec.Labels, request),
		})
		labels = created.Volume.Labels
		return err
	})
	return labels, err
}

// CreateNetwork implements API.
func (d *httpAPI) CreateNetwork(ctx context.Context, spec containersv1.NetworkCreateRequestSpec, request types.UID) (id string, err error) {
	options, err := networkOptions(spec, request)
	if err != nil {
		return "", err
	}
	err = d.command(ctx, func(cli *client.Client) error {
		created, err := cli.NetworkCreate(ctx, spec.Name, options)
		id = created.ID
		return err
	})
	return id, err
}

// hasHostGateway reports whether the engine can start a container with the address
// host-gateway. Without a default bridge it has no such address.
func hasHostGateway(ctx context.Context, cli *client.Client) bool {
	if versions.LessThan(cli.ClientVersion(), "1.41") {
		return false
	}
	_, err := cli.NetworkInspect(ctx, "bridge", client.NetworkInspectOptions{})
	return err == nil
}
