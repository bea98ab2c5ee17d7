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

// How many objects of a kind there are at most: a start takes long here.
const (
	mostContainers = 6
	mostImages     = 8
	mostVolumes    = 20
	// tags are used again and again, so that they move from image to image.
	movingTags = 6
	// operationWithin is how long one change of the engine is waited for: longer
	// than it is ever stopped. Whoever gives up on a removal of a volume may make
	// the engine remove it, answer "context canceled" and send no event, which
	// only the daemon's next full sync can make up for (moby, VolumeStore.purge).
	operationWithin = 2 * time.Minute
)

// base is the image that always is there.
const base = "base:1"

// pool is what those who change something believe there is. It may be wrong at
// any time, which is the point.
type pool struct {
	mu         sync.Mutex
	containers []string
	images     []string
	volumes    []string
	made       int
}

// next is a number that no name has had.
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

// pick draws one; false when there is none.
func (p *pool) pick(dice *rand.Rand, list *[]string) (string, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	number := dice.Uint64() // drawn in any case, so that the plan does not depend on what there is
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

// worker changes the engine past the daemon.
type worker struct {
	*pool

	engine  *dockerd.API
	ledger  *ledger
	dice    *rand.Rand
	content []byte
}

// work goes on until ctx ends; what is under way then is brought to its end.
func (w *worker) work(ctx context.Context) {
	for ctx.Err() == nil {
		w.one(context.WithoutCancel(ctx))
		select {
		case <-ctx.Done():
		case <-time.After(between(w.dice, 10*time.Millisecond, 150*time.Millisecond)):
		}
	}
}

func (w *worker) one(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, operationWithin)
	defer cancel()
	switch number := w.dice.IntN(26); {
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
		w.silent(ctx)
	}
}

// ask does one thing to an object, with a note of it before and after.
func (w *worker) ask(object, what string, do func() error) error {
	r := &request{verb: touch, object: object, what: what}
	w.ledger.begin(r)
	err := do()
	// An engine that answers has done it or not; without an answer it may yet do it.
	var answer *dockerd.AnswerError
	w.ledger.finish(r, err == nil || errors.As(err, &answer))
	return err
}

func (w *worker) makeContainer(ctx context.Context) {
	image, ok := w.pick(w.dice, &w.images)
	run := w.dice.IntN(2) == 0
	if !ok || w.full(&w.containers, mostContainers) {
		w.removeContainer(ctx)
		return
	}
	name := fmt.Sprintf("Box_%d", w.next())
	id := ""
	err := w.ask(name, "create", func() (err error) {
		id, err = w.engine.CreateContainer(ctx, name, image)
		return err
	})
	if err != nil {
		return
	}
	w.add(&w.containers, id)
	if run {
		_ = w.ask(objectOf(containersv1.KindContainer, id), "start", func() error { return w.engine.Do(ctx, "start", id) })
	}
}

// forWishes is whether a container, by its random ID, is one that workers make and
// remove, and only wishes start and stop: what a wish leaves behind is then seen.
func forWishes(id string) bool { return id < "8" }

func (w *worker) changeContainer(ctx context.Context) {
	verbs := []string{"start", "start", "stop", "kill", "pause", "unpause", "restart"}
	verb := verbs[w.dice.IntN(len(verbs))]
	if id, ok := w.pick(w.dice, &w.containers); ok && !forWishes(id) {
		// That it is refused, in the state that the container is in, is well.
		_ = w.ask(objectOf(containersv1.KindContainer, id), verb, func() error { return w.engine.Do(ctx, verb, id) })
	}
}

func (w *worker) removeContainer(ctx context.Context) {
	id, ok := w.pick(w.dice, &w.containers)
	if !ok {
		return
	}
	if w.ask(objectOf(containersv1.KindContainer, id), "rm", func() error { return w.engine.RemoveContainer(ctx, id) }) == nil {
		w.drop(&w.containers, id)
	}
}

func (w *worker) importImage(ctx context.Context) {
	if w.full(&w.images, mostImages) {
		w.removeImage(ctx)
		return
	}
	tag := fmt.Sprint(w.next())
	ref := "import:" + tag
	if w.ask(objectOf(containersv1.KindImage, ref), "import", func() error { return w.engine.ImportImage(ctx, "import", tag, w.content) }) == nil {
		w.add(&w.images, ref)
	}
}

func (w *worker) tagImage(ctx context.Context) {
	image, ok := w.pick(w.dice, &w.images)
	tag := fmt.Sprintf("Tag_%d", w.dice.IntN(movingTags))
	if !ok {
		return
	}
	ref := "moving:" + tag
	if w.ask(objectOf(containersv1.KindImage, ref), "tag "+image, func() error { return w.engine.Tag(ctx, image, "moving", tag) }) == nil {
		w.add(&w.images, ref)
	}
}

func (w *worker) removeImage(ctx context.Context) {
	ref, ok := w.pick(w.dice, &w.images)
	if !ok || ref == base {
		return
	}
	if w.ask(objectOf(containersv1.KindImage, ref), "rmi", func() error { return w.engine.Untag(ctx, ref) }) == nil {
		w.drop(&w.images, ref)
	}
}

func (w *worker) makeVolume(ctx context.Context) {
	if w.full(&w.volumes, mostVolumes) {
		w.removeVolume(ctx)
		return
	}
	name := fmt.Sprintf("Volume_%d", w.next())
	if w.ask(objectOf(containersv1.KindVolume, name), "create", func() error { return w.engine.CreateVolume(ctx, name) }) == nil {
		w.add(&w.volumes, name)
	}
}

func (w *worker) removeVolume(ctx context.Context) {
	name, ok := w.pick(w.dice, &w.volumes)
	if !ok {
		return
	}
	if w.ask(objectOf(containersv1.KindVolume, name), "rm", func() error { return w.engine.RemoveVolume(ctx, name) }) == nil {
		w.drop(&w.volumes, name)
	}
}
