package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/rddtest/dockerd"
)

// Limits for the number of objects of a kind: a start takes long here.
const (
	maxContainers = 6
	maxImages     = 8
	maxVolumes    = 20
	// movingTags is small, so that tags move from image to image.
	movingTags = 6
	// operationTimeout is how long one change of the engine may take. It is longer
	// than the engine is ever stopped. If a client cancels the removal of a volume,
	// the engine may remove it, answer "context canceled", and send no event (moby,
	// VolumeStore.purge). Then only the daemon's next full sync repairs the mirror.
	operationTimeout = 2 * time.Minute
)

// base is the image that is always present.
const base = "base:1"

// pool lists the objects that workers and users choose from. It may be outdated at
// any time, which is intended.
type pool struct {
	mu         sync.Mutex
	containers []string
	images     []string
	volumes    []string
	made       int
}

// next returns a number that no name contains yet.
func (p *pool) next() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.made++
	return p.made
}

func (p *pool) add(list *[]string, name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !slices.Contains(*list, name) {
		*list = append(*list, name)
	}
}

func (p *pool) drop(list *[]string, name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	*list = slices.DeleteFunc(*list, func(other string) bool { return other == name })
}

// pick draws a name; it returns false when there is none.
func (p *pool) pick(random *rand.Rand, list *[]string) (string, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	number := random.Uint64() // always drawn, so that later draws do not depend on the engine
	if len(*list) == 0 {
		return "", false
	}
	return (*list)[number%uint64(len(*list))], true
}

func (p *pool) full(list *[]string, most int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(*list) >= most
}

// worker changes the engine directly, without the daemon.
type worker struct {
	*pool

	engine  *dockerd.API
	ledger  *ledger
	random  *rand.Rand
	content []byte
}

// work runs until ctx ends, and completes the change that is under way then.
func (w *worker) work(ctx context.Context) {
	for ctx.Err() == nil {
		w.step(context.WithoutCancel(ctx))
		select {
		case <-ctx.Done():
		case <-time.After(between(w.random, 10*time.Millisecond, 150*time.Millisecond)):
		}
	}
}

func (w *worker) step(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, operationTimeout)
	defer cancel()
	switch number := w.random.IntN(26); {
	case number < 3:
		w.makeContainer(ctx)
	case number < 9:
		w.changeContainer(ctx)
	case number < 11:
		w.removeContainer(ctx)
	case number < 12:
		w.importImage(ctx)
	case number < 14:
		w.tagImage(ctx)
	case number < 16:
		w.removeImage(ctx)
	case number < 18:
		w.makeVolume(ctx)
	case number < 20:
		w.removeVolume(ctx)
	default:
		w.quietChange(ctx)
	}
}

// do changes an object, and records the change before and after.
func (w *worker) do(object, what string, change func() error) error {
	r := &request{verb: engineChange, object: object, what: what}
	w.ledger.begin(r)
	err := change()
	// Without an answer of the engine the change may still happen.
	var answer *dockerd.AnswerError
	w.ledger.finish(r, err == nil || errors.As(err, &answer))
	return err
}

func (w *worker) makeContainer(ctx context.Context) {
	image, ok := w.pick(w.random, &w.images)
	run := w.random.IntN(2) == 0
	if !ok || w.full(&w.containers, maxContainers) {
		w.removeContainer(ctx)
		return
	}
	name := fmt.Sprintf("Box_%d", w.next())
	id := ""
	isStubborn := w.random.IntN(4) == 0
	err := w.do(name, "create", func() (err error) {
		if isStubborn {
			id, err = w.engine.CreateStubbornContainer(ctx, name, image, 1) // its restart takes a second
		} else {
			id, err = w.engine.CreateContainer(ctx, name, image)
		}
		return err
	})
	if err != nil {
		return
	}
	w.created(id)
	if run {
		_ = w.do(objectOf(containersv1.KindContainer, id), "start", func() error { return w.engine.Do(ctx, "start", id) })
	}
}

// createdByWorker is the record of a container that a worker has created.
const createdByWorker = "created"

// created records a container that a worker has created.
func (w *worker) created(id string) {
	_ = w.do(objectOf(containersv1.KindContainer, id), createdByWorker, func() error { return nil })
	w.add(&w.containers, id)
}

// forUsersOnly reports whether a container is started and stopped by users alone, so
// that the result of a desired state stays. It depends on the random ID.
func forUsersOnly(id string) bool { return id < "8" }

func (w *worker) changeContainer(ctx context.Context) {
	verbs := []string{"start", "start", "stop", "kill", "pause", "unpause", "restart"}
	verb := verbs[w.random.IntN(len(verbs))]
	if id, ok := w.pick(w.random, &w.containers); ok && !forUsersOnly(id) {
		// The engine may refuse this in the container's state.
		_ = w.do(objectOf(containersv1.KindContainer, id), verb, func() error { return w.engine.Do(ctx, verb, id) })
	}
}

func (w *worker) removeContainer(ctx context.Context) {
	id, ok := w.pick(w.random, &w.containers)
	if !ok {
		return
	}
	if w.do(objectOf(containersv1.KindContainer, id), "rm", func() error { return w.engine.RemoveContainer(ctx, id) }) == nil {
		w.drop(&w.containers, id)
	}
}

func (w *worker) importImage(ctx context.Context) {
	if w.full(&w.images, maxImages) {
		w.removeImage(ctx)
		return
	}
	tag := fmt.Sprint(w.next())
	ref := "import:" + tag
	if w.do(objectOf(containersv1.KindImage, ref), "import", func() error { return w.engine.ImportImage(ctx, "import", tag, w.content) }) == nil {
		w.add(&w.images, ref)
	}
}

func (w *worker) tagImage(ctx context.Context) {
	image, ok := w.pick(w.random, &w.images)
	tag := fmt.Sprintf("Tag_%d", w.random.IntN(movingTags))
	if !ok {
		return
	}
	ref := "moving:" + tag
	if w.do(objectOf(containersv1.KindImage, ref), "tag "+image, func() error { return w.engine.Tag(ctx, image, "moving", tag) }) == nil {
		w.add(&w.images, ref)
	}
}

func (w *worker) removeImage(ctx context.Context) {
	ref, ok := w.pick(w.random, &w.images)
	if !ok || ref == base {
		return
	}
	if w.do(objectOf(containersv1.KindImage, ref), "rmi", func() error { return w.engine.Untag(ctx, ref) }) == nil {
		w.drop(&w.images, ref)
	}
}

func (w *worker) makeVolume(ctx context.Context) {
	if w.full(&w.volumes, maxVolumes) {
		w.removeVolume(ctx)
		return
	}
	name := fmt.Sprintf("Volume_%d", w.next())
	if w.do(objectOf(containersv1.KindVolume, name), "create", func() error { return w.engine.CreateVolume(ctx, name) }) == nil {
		w.add(&w.volumes, name)
	}
}

func (w *worker) removeVolume(ctx context.Context) {
	name, ok := w.pick(w.random, &w.volumes)
	if !ok {
		return
	}
	if w.do(objectOf(containersv1.KindVolume, name), "rm", func() error { return w.engine.RemoveVolume(ctx, name) }) == nil {
		w.drop(&w.volumes, name)
	}
}
