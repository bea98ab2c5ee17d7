package docker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
)

// wireUsage is the answer to GET /system/df, in its two forms: since API 1.52 the objects
// are below the usage of their kind.
type wireUsage struct {
	Images      []wireImageUsage
	Volumes     []wireVolumeUsage
	BuildCache  []wireCacheUsage
	ImageUsage  struct{ Items []wireImageUsage }
	VolumeUsage struct{ Items []wireVolumeUsage }
	BuildUsage  struct{ Items []wireCacheUsage } `json:"BuildCacheUsage"`
}

type wireImageUsage struct {
	ID               string `json:"Id"`
	RepoTags         []string
	Created          int64
	Labels           map[string]string
	Size, SharedSize int64
}

type wireVolumeUsage struct {
	Name, CreatedAt string
	Labels          map[string]string
	UsageData       struct{ Size int64 }
}

type wireCacheUsage struct {
	ID, Type, Description string
	InUse, Shared         bool
	Size                  int64
	CreatedAt             string
	LastUsedAt            *string
}

// inventoryUsage reads images, volumes and the build cache with their sizes.
func (d *httpAPI) inventoryUsage(ctx context.Context, options client.DiskUsageOptions, have *engine.Inventory) error {
	const doing = "measure what images, volumes and the build cache use"
	for {
		raw, err := d.read(ctx, doing, func(ctx context.Context, cli *client.Client) error {
			_, err := cli.DiskUsage(ctx, options)
			return err
		})
		if err == nil {
			return mapUsage(raw, have)
		}
		if !strings.Contains(err.Error(), alreadyMeasures) {
			return err
		}
		select {
		case <-ctx.Done():
			return failed(doing, errors.New(alreadyMeasures))
		case <-time.After(measurePause):
		}
	}
}

// mapUsage decodes images, volumes and the build cache.
func mapUsage(raw []byte, have *engine.Inventory) error {
	var wire wireUsage
	if err := decode(raw, &wire); err != nil {
		return err
	}
	for _, w := range slices.Concat(wire.Images, wire.ImageUsage.Items) {
		image := engine.PruneImage{Tags: imageTags(w.RepoTags), PruneObject: engine.PruneObject{
			ID: toValidUTF8(w.ID), Created: createdAt(w.Created), Labels: w.Labels, Bytes: max(0, w.Size-max(0, w.SharedSize)),
		}}
		have.Images = append(have.Images, image)
	}
	for _, w := range slices.Concat(wire.Volumes, wire.VolumeUsage.Items) {
		created, _ := parseTime(w.CreatedAt)
		have.Volumes = append(have.Volumes, engine.PruneObject{
			ID: toValidUTF8(w.Name), Name: toValidUTF8(w.Name), Created: created, Labels: w.Labels, Bytes: max(0, w.UsageData.Size),
		})
	}
	for _, w := range slices.Concat(wire.BuildCache, wire.BuildUsage.Items) {
		have.BuildCache = append(have.BuildCache, w.record())
	}
	return nil
}

// maxStep is how many bytes of the step of a build are kept.
const maxStep = 100

// record returns a record of the build cache. What the engine keeps by itself are the
// programs that read Dockerfiles, and the results of its own work.
func (w wireCacheUsage) record() engine.PruneCache {
	step := toValidUTF8(w.Description)
	if len(step) > maxStep {
		step = strings.ToValidUTF8(step[:maxStep], "") + "…"
	}
	used, _ := parseTime(w.CreatedAt)
	if w.LastUsedAt != nil {
		if last, _ := parseTime(*w.LastUsedAt); last.After(used) {
			used = last
		}
	}
	return engine.PruneCache{
		Internal: w.Shared || w.Type == "internal" || w.Type == "frontend",
		PruneObject: engine.PruneObject{
			ID: toValidUTF8(w.ID), Name: step, Created: used, Bytes: max(0, w.Size), Kept: w.InUse,
		},
	}
}

// PruneBuildCache implements API. The engine answers with the records that it removed.
func (d *httpAPI) PruneBuildCache(ctx context.Context, id string) error {
	return d.command(ctx, func(cli *client.Client) error {
		done, err := cli.BuildCachePrune(ctx, client.BuildCachePruneOptions{All: true, Filters: make(client.Filters).Add("id", id)})
		if err == nil && !slices.Contains(done.Report.CachesDeleted, id) {
			err = fmt.Errorf("record %s of the build cache is in use: %w", id, errdefs.ErrConflict)
		}
		return err
	})
}
