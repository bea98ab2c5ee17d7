package docker

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/moby/moby/client"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
)

const (
	// measureTimeout bounds the reading of an inventory: the engine adds up the sizes
	// of all files of volumes and containers.
	measureTimeout = 5 * time.Minute
	// pruneTimeout bounds the removal of one object.
	pruneTimeout = 2 * time.Minute
	// measurePause is the pause before another attempt while the engine already measures for
	// another client, which it refuses to do twice at once.
	measurePause = 500 * time.Millisecond
)

// alreadyMeasures are the engine's words for a measurement that is under way.
const alreadyMeasures = "disk usage operation is already running"

// Prune implements engine.Transferrer.
func (e *dockerEngine) Prune(ctx context.Context, options engine.PruneOptions, removed func(engine.Pruned)) ([]engine.Pruned, error) {
	measuring, cancel := context.WithTimeout(ctx, measureTimeout)
	defer cancel()
	have, err := e.Inventory(measuring, options.Kinds)
	if err != nil {
		return nil, classified(err)
	}
	plan := engine.Plan(have, options)
	if options.DryRun {
		return plan, nil
	}
	return engine.RemovePlanned(ctx, plan, e.pruneOne, removed)
}

// pruneOne removes one object without force.
func (e *dockerEngine) pruneOne(ctx context.Context, key engine.Key) error {
	ctx, cancel := context.WithTimeout(ctx, pruneTimeout)
	defer cancel()
	switch key.Kind {
	case containersv1.KindContainer:
		return classified(e.PruneContainer(ctx, key.ID))
	case engine.KindBuildCache:
		return classified(e.PruneBuildCache(ctx, key.ID))
	}
	return classified(e.Do(ctx, key, engine.VerbRemove))
}

// PruneContainer implements API.
func (d *httpAPI) PruneContainer(ctx context.Context, id string) error {
	return d.command(ctx, func(cli *client.Client) error {
		_, err := cli.ContainerRemove(ctx, id, client.ContainerRemoveOptions{})
		return err
	})
}

// Inventory implements API.
func (d *httpAPI) Inventory(ctx context.Context, kinds []containersv1.Kind) (have engine.Inventory, err error) {
	if have.Containers, err = d.inventoryContainers(ctx, slices.Contains(kinds, containersv1.KindContainer)); err != nil {
		return have, err
	}
	if slices.Contains(kinds, containersv1.KindNetwork) {
		if have.Networks, err = d.inventoryNetworks(ctx); err != nil {
			return have, err
		}
	}
	images, volumes, cache := containersv1.KindImage, containersv1.KindVolume, engine.KindBuildCache
	if slices.ContainsFunc(kinds, func(k containersv1.Kind) bool { return k == images || k == volumes || k == cache }) {
		err = d.inventoryUsage(ctx, client.DiskUsageOptions{
			Images: slices.Contains(kinds, images), Volumes: slices.Contains(kinds, volumes),
			BuildCache: slices.Contains(kinds, cache), Verbose: true,
		}, &have)
	}
	return have, err
}

func (d *httpAPI) inventoryContainers(ctx context.Context, size bool) ([]engine.PruneContainer, error) {
	const doing = "list containers"
	raw, err := d.read(ctx, doing, func(ctx context.Context, cli *client.Client) error {
		_, err := cli.ContainerList(ctx, client.ContainerListOptions{All: true, Size: size})
		return err
	})
	if err != nil {
		return nil, err
	}
	containers, err := mapPruneContainers(raw)
	if err != nil {
		return nil, failed(doing, err)
	}
	return containers, nil
}

// mapPruneContainers decodes a list of containers.
func mapPruneContainers(raw []byte) ([]engine.PruneContainer, error) {
	var wire []struct {
		ID              string `json:"Id"`
		Names           []string
		ImageID         string
		Created         int64
		State           string
		Labels          map[string]string
		SizeRw          int64
		Mounts          []struct{ Type, Name string }
		NetworkSettings struct {
			Networks map[string]struct{ NetworkID string }
		}
	}
	if err := decode(raw, &wire); err != nil {
		return nil, err
	}
	out := make([]engine.PruneContainer, 0, len(wire))
	for _, w := range wire {
		c := engine.PruneContainer{
			PruneObject: engine.PruneObject{ID: w.ID, Created: createdAt(w.Created), Labels: w.Labels, Bytes: max(0, w.SizeRw)},
			ImageID:     w.ImageID,
		}
		if len(w.Names) > 0 {
			c.Name = toValidUTF8(strings.TrimPrefix(w.Names[0], "/"))
		}
		switch containersv1.ContainerState(w.State) {
		case containersv1.ContainerCreated, containersv1.ContainerExited, containersv1.ContainerDead:
		default:
			c.Active = true
		}
		for _, m := range w.Mounts {
			if m.Type == "volume" {
				c.Volumes = append(c.Volumes, m.Name)
			}
		}
		for name, n := range w.NetworkSettings.Networks {
			c.Networks = append(c.Networks, name)
			if n.NetworkID != "" {
				c.Networks = append(c.Networks, n.NetworkID)
			}
		}
		out = append(out, c)
	}
	return out, nil
}

// createdAt returns a time of creation in seconds; zero for one that is unknown.
func createdAt(seconds int64) time.Time {
	if seconds <= 0 {
		return time.Time{}
	}
	return time.Unix(seconds, 0)
}

func (d *httpAPI) inventoryNetworks(ctx context.Context) ([]engine.PruneObject, error) {
	const doing = "list networks"
	raw, err := d.read(ctx, doing, func(ctx context.Context, cli *client.Client) error {
		_, err := cli.NetworkList(ctx, client.NetworkListOptions{})
		return err
	})
	if err != nil {
		return nil, err
	}
	var wire []struct {
		ID                  string `json:"Id"`
		Name, Created       string
		Labels              map[string]string
		Ingress, ConfigOnly bool
	}
	if err := decode(raw, &wire); err != nil {
		return nil, failed(doing, err)
	}
	out := make([]engine.PruneObject, 0, len(wire))
	for _, w := range wire {
		created, _ := parseTime(w.Created)
		predefined := slices.Contains([]string{"bridge", "host", "none", "docker_gwbridge"}, w.Name)
		out = append(out, engine.PruneObject{
			ID: w.ID, Name: toValidUTF8(w.Name), Created: created, Labels: w.Labels,
			Kept: predefined || w.Ingress || w.ConfigOnly,
		})
	}
	return out, nil
}
