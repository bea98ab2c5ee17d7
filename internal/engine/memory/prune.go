package memory

import (
	"context"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
)

// Inventory returns everything that the engine has, for a prune.
func (e *Engine) Inventory() (have engine.Inventory) {
	defer e.lock()()
	for _, id := range sortedKeys(e.containers) {
		c := e.containers[id]
		have.Containers = append(have.Containers, engine.PruneContainer{
			PruneObject: engine.PruneObject{ID: id, Name: c.Name, Created: c.Created, Labels: c.Labels, Kept: c.Removing},
			Active:      c.Running, ImageID: c.ImageID, Volumes: c.Spec.Volumes, Networks: c.networks,
		})
	}
	for _, id := range sortedKeys(e.images) {
		if img := e.snapshot(e.images[id]); !img.Hidden {
			have.Images = append(have.Images, engine.PruneImage{Tags: img.Tags, PruneObject: engine.PruneObject{
				ID: id, Created: img.Created, Labels: img.Labels, Bytes: img.Size,
			}})
		}
	}
	for _, name := range sortedKeys(e.volumes) {
		v := e.volumes[name]
		have.Volumes = append(have.Volumes, engine.PruneObject{ID: name, Name: name, Created: v.Created, Labels: v.Labels})
	}
	for _, id := range sortedKeys(e.networks) {
		n := e.networks[id]
		have.Networks = append(have.Networks, engine.PruneObject{
			ID: id, Name: n.Name, Created: n.Created, Labels: n.Labels, Kept: n.predefined,
		})
	}
	have.BuildCache = e.cacheInventory()
	return have
}

// Prune implements engine.Transferrer.
func (c *conn) Prune(ctx context.Context, options engine.PruneOptions, removed func(engine.Pruned)) ([]engine.Pruned, error) {
	if err := c.ready(ctx); err != nil {
		return nil, err
	}
	plan := engine.Plan(c.engine.Inventory(), options)
	if options.DryRun {
		return plan, nil
	}
	return engine.RemovePlanned(ctx, plan, func(ctx context.Context, key engine.Key) error {
		if key.Kind == containersv1.KindContainer {
			if err := c.ready(ctx); err != nil {
				return err
			}
			return c.engine.RemoveContainer(key.ID, false)
		}
		if key.Kind == engine.KindBuildCache {
			if err := c.ready(ctx); err != nil || c.engine.PruneBuildCache(key.ID) {
				return err
			}
			return errCacheInUse(key.ID)
		}
		return c.Do(ctx, key, engine.VerbRemove)
	}, removed)
}
