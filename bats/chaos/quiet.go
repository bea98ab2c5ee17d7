package main

import (
	"context"
	"fmt"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// quietChange makes a change that the engine reports by an event of another object,
// by an event that names no object, or not at all.
func (w *worker) quietChange(ctx context.Context) {
	changes := []func(context.Context){
		w.commit, w.commit, w.pruneVolumes, w.pruneImages, w.reconnect, w.reconnect, w.failStart, w.rename, w.removeImageOnly,
	}
	changes[w.random.IntN(len(changes))](ctx)
}

// commit creates an image from a container. The container's image may have no tag any
// more, and is hidden then. Half of the new images have no tag.
func (w *worker) commit(ctx context.Context) {
	id, ok := w.pick(w.random, &w.containers)
	tag := ""
	if w.random.IntN(2) == 0 {
		tag = fmt.Sprintf("Tag_%d", w.random.IntN(movingTags))
	}
	if !ok || w.full(&w.images, maxImages) {
		w.pruneImages(ctx)
		return
	}
	object := objectOf(containersv1.KindImage, "commit of "+id)
	if tag != "" {
		object = objectOf(containersv1.KindImage, "moving:"+tag)
	}
	if w.do(object, "commit", func() error { return w.engine.Commit(ctx, id, "moving", tag) }) == nil && tag != "" {
		w.add(&w.images, "moving:"+tag)
	}
}

func (w *worker) pruneVolumes(ctx context.Context) {
	_ = w.do(objectOf(containersv1.KindVolume, "unused ones"), "prune", func() error { return w.engine.PruneVolumes(ctx) })
}

func (w *worker) pruneImages(ctx context.Context) {
	_ = w.do(objectOf(containersv1.KindImage, "untagged ones"), "prune", func() error { return w.engine.PruneImages(ctx) })
}

// reconnect disconnects a container from its network, or connects it.
func (w *worker) reconnect(ctx context.Context) {
	verb := []string{"connect", "disconnect"}[w.random.IntN(2)]
	if id, ok := w.pick(w.random, &w.containers); ok && !forUsersOnly(id) {
		_ = w.do(objectOf(containersv1.KindContainer, id), "network "+verb, func() error { return w.engine.Network(ctx, verb, "none", id) })
	}
}

// failStart starts a container whose program is missing.
func (w *worker) failStart(ctx context.Context) {
	image, ok := w.pick(w.random, &w.images)
	if !ok || w.full(&w.containers, maxContainers) {
		w.removeContainer(ctx)
		return
	}
	name := fmt.Sprintf("Odd.-_%d", w.next())
	id := ""
	err := w.do(name, "create", func() (err error) {
		id, err = w.engine.CreateContainer(ctx, name, image, "/no/such/program")
		return err
	})
	if err != nil {
		return
	}
	w.created(id)
	_ = w.do(objectOf(containersv1.KindContainer, id), "start", func() error { return w.engine.Do(ctx, "start", id) })
}

func (w *worker) rename(ctx context.Context) {
	name := fmt.Sprintf("re_.-Named%d", w.next())
	if id, ok := w.pick(w.random, &w.containers); ok && !forUsersOnly(id) {
		_ = w.do(objectOf(containersv1.KindContainer, id), "rename", func() error { return w.engine.Do(ctx, "rename?name="+name, id) })
	}
}

// removeImageOnly keeps the parents of an image, which become visible.
func (w *worker) removeImageOnly(ctx context.Context) {
	ref, ok := w.pick(w.random, &w.images)
	if !ok || ref == base {
		return
	}
	if w.do(objectOf(containersv1.KindImage, ref), "rmi --no-prune", func() error { return w.engine.Untag(ctx, ref+"?noprune=1") }) == nil {
		w.drop(&w.images, ref)
	}
}
