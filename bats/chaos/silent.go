package main

import (
	"context"
	"fmt"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// silent makes one of the changes that the engine reports by an event of another
// object, by one that names no object, or not at all.
func (w *worker) silent(ctx context.Context) {
	changes := []func(context.Context){
		w.commit, w.commit, w.pruneVolumes, w.pruneImages, w.reconnect, w.reconnect, w.failStart, w.rename, w.removeImageOnly,
	}
	changes[w.dice.IntN(len(changes))](ctx)
}

// commit makes an image on the image of a container, which may have lost its tags
// since and is hidden then. Half of these images have no tag.
func (w *worker) commit(ctx context.Context) {
	id, ok := w.pick(w.dice, &w.containers)
	tag := ""
	if w.dice.IntN(2) == 0 {
		tag = fmt.Sprintf("Tag_%d", w.dice.IntN(movingTags))
	}
	if !ok || w.full(&w.images, mostImages) {
		w.pruneImages(ctx)
		return
	}
	object := objectOf(containersv1.KindImage, "commit of "+id)
	if tag != "" {
		object = objectOf(containersv1.KindImage, "moving:"+tag)
	}
	if w.ask(object, "commit", func() error { return w.engine.Commit(ctx, id, "moving", tag) }) == nil && tag != "" {
		w.add(&w.images, "moving:"+tag)
	}
}

func (w *worker) pruneVolumes(ctx context.Context) {
	_ = w.ask(objectOf(containersv1.KindVolume, "unused ones"), "prune", func() error { return w.engine.PruneVolumes(ctx) })
}

func (w *worker) pruneImages(ctx context.Context) {
	_ = w.ask(objectOf(containersv1.KindImage, "untagged ones"), "prune", func() error { return w.engine.PruneImages(ctx) })
}

// reconnect removes a container from its network, or adds it again.
func (w *worker) reconnect(ctx context.Context) {
	verb := []string{"connect", "disconnect"}[w.dice.IntN(2)]
	if id, ok := w.pick(w.dice, &w.containers); ok && !forWishes(id) {
		_ = w.ask(objectOf(containersv1.KindContainer, id), "network "+verb, func() error { return w.engine.Network(ctx, verb, "none", id) })
	}
}

// failStart starts a container whose program is missing.
func (w *worker) failStart(ctx context.Context) {
	image, ok := w.pick(w.dice, &w.images)
	if !ok || w.full(&w.containers, mostContainers) {
		w.removeContainer(ctx)
		return
	}
	name := fmt.Sprintf("Odd.-_%d", w.next())
	id := ""
	err := w.ask(name, "create", func() (err error) {
		id, err = w.engine.CreateContainer(ctx, name, image, "/no/such/program")
		return err
	})
	if err != nil {
		return
	}
	w.add(&w.containers, id)
	_ = w.ask(objectOf(containersv1.KindContainer, id), "start", func() error { return w.engine.Do(ctx, "start", id) })
}

func (w *worker) rename(ctx context.Context) {
	name := fmt.Sprintf("re_.-Named%d", w.next())
	if id, ok := w.pick(w.dice, &w.containers); ok && !forWishes(id) {
		_ = w.ask(objectOf(containersv1.KindContainer, id), "rename", func() error { return w.engine.Do(ctx, "rename?name="+name, id) })
	}
}

// removeImageOnly leaves the parents of an image, which show then.
func (w *worker) removeImageOnly(ctx context.Context) {
	ref, ok := w.pick(w.dice, &w.images)
	if !ok || ref == base {
		return
	}
	if w.ask(objectOf(containersv1.KindImage, ref), "rmi --no-prune", func() error { return w.engine.Untag(ctx, ref+"?noprune=1") }) == nil {
		w.drop(&w.images, ref)
	}
}
