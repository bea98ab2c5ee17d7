package engine

import (
	"context"
	"fmt"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"golang.org/x/sync/errgroup"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/async"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine/docker"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// Messages of a full sync to the session.
type (
	syncListed struct{ counts map[containersv1.Kind]int }
	syncRead   struct {
		asOf time.Time
		err  error
	}
)

// believeFor is how long an image is not inspected again while the list of images
// says that its tags and digests are the same. Nothing else of it can change, so
// this only guards against what should not be.
const believeFor = time.Hour

// firstResync is the pause before the second full sync of a connection. Each
// further pause is twice as long, up to Settings.Resync. The second sync inspects
// the images that the first one believed because they are mirrored: an earlier
// version of rdd may have written their mirrors.
const firstResync = 10 * time.Second

// resyncPause returns the pause after a number of full syncs, counted from one.
func resyncPause(syncs int, longest time.Duration) time.Duration {
	pause := firstResync
	for i := 1; i < syncs && pause < longest; i++ {
		pause *= 2
	}
	return min(pause, longest)
}

// startSync begins a full sync, unless one is under way. Beside what the session
// has inspected it believes the images that are given, by ID.
func (s *session) startSync(mirrored map[string][]*containersv1.Image) {
	if s.syncing {
		return
	}
	s.syncing = true
	s.report("syncing")
	known := s.images.believed(time.Now().Add(-believeFor))
	for id, images := range mirrored {
		if known[id] == nil {
			known[id] = images
		}
	}
	s.tasks.Loop(func(ctx context.Context, send func(any)) any {
		ctx, progressed, cancel := async.WithPatience(ctx, syncPatience, "the full sync")
		defer cancel()
		asOf := time.Now()
		return syncRead{asOf: asOf, err: s.readAll(ctx, known, func(v any) {
			if done, ok := v.(readDone); !ok || done.err == nil {
				progressed()
			}
			send(v)
		})}
	})
}

// readAll lists every kind at once, then reads each object of which the lists do
// not say everything, a bounded number at a time. Objects are handed on as they
// come.
func (s *session) readAll(ctx context.Context, known map[string][]*containersv1.Image, send func(any)) error {
	began := time.Now()
	lists, listing := errgroup.WithContext(ctx)
	var containers []string
	var images []docker.ListedImage
	var volumes []*containersv1.Volume
	for _, list := range []func() error{
		func() (err error) { containers, err = s.engine.ListContainers(listing); return err },
		func() (err error) { images, err = s.engine.ListImages(listing); return err },
		func() (err error) { volumes, err = s.engine.ListVolumes(listing); return err },
	} {
		lists.Go(func() error { return async.Safely(list) })
	}
	if err := lists.Wait(); err != nil {
		return fmt.Errorf("list the engine's objects: %w", err)
	}
	send(syncListed{counts: map[containersv1.Kind]int{
		containersv1.KindContainer: len(containers), containersv1.KindImage: len(images),
		containersv1.KindVolume: len(volumes),
	}})
	send(readDone{
		target:  target{kind: containersv1.KindContainerNamespace, id: containersv1.MobyNamespace},
		objects: []containersv1.Mirror{mobyNamespace()}, asOf: began,
	})
	for _, v := range volumes {
		send(readDone{
			target:  target{kind: containersv1.KindVolume, id: v.Status.Name},
			objects: []containersv1.Mirror{v}, asOf: began,
		})
	}
	var pool errgroup.Group
	pool.SetLimit(s.settings.Pool)
	s.readEach(ctx, &pool, containersv1.KindContainer, containers, send)
	s.readEach(ctx, &pool, containersv1.KindImage, unknownImages(images, known, began, send), func(v any) {
		if done, ok := v.(readDone); ok && done.err == nil && !hasTag(done.objects) {
			// Whether it is shown is as old as the list.
			done.shown, done.asOf = true, began
			v = done
		}
		send(v)
	})
	_ = pool.Wait() // each reading carries its own error
	if ctx.Err() != nil {
		return fmt.Errorf("read the engine's objects: %w", context.Cause(ctx))
	}
	return nil
}

// unknownImages hands on the images that are known to be as they are listed, and
// returns the IDs of the others.
func unknownImages(listed []docker.ListedImage, known map[string][]*containersv1.Image, asOf time.Time, send func(any)) []string {
	var unknown []string
	for _, image := range listed {
		if !image.SameAs(known[image.ID]) {
			unknown = append(unknown, image.ID)
			continue
		}
		send(readDone{
			target:  target{kind: containersv1.KindImage, id: image.ID},
			objects: asMirrors(known[image.ID]), asOf: asOf, listed: true,
		})
	}
	return unknown
}

func (s *session) readEach(ctx context.Context, pool *errgroup.Group, kind containersv1.Kind, ids []string, send func(any)) {
	for _, id := range ids {
		pool.Go(func() error {
			ctx, cancel := context.WithTimeout(ctx, readTimeout)
			defer cancel()
			t := target{kind: kind, id: id}
			done := readDone{target: t, asOf: time.Now()}
			done.objects, done.err = s.inspect(ctx, t)
			send(done)
			return nil
		})
	}
}

func mobyNamespace() *containersv1.ContainerNamespace {
	ns := &containersv1.ContainerNamespace{}
	ns.Name = containersv1.MobyNamespace
	ns.Status.Name = containersv1.MobyNamespace
	return ns
}

// receiveSync handles what a full sync sends.
func (s *session) receiveSync(c actor.Context, value any) {
	switch v := value.(type) {
	case syncListed:
		c.Send(c.Parent(), messages.SyncListed{Counts: v.counts})
	case syncRead:
		s.syncDone(c, v)
	default:
		s.logger.Error("engine session sent itself a message it does not know", "message", value)
	}
}

func (s *session) syncDone(c actor.Context, v syncRead) {
	if v.err != nil {
		panic(v.err)
	}
	s.syncing = false
	unread := map[containersv1.Kind][]string{}
	keep := map[string]bool{}
	for t, r := range s.reads {
		if r.attempts > 0 {
			unread[t.kind] = append(unread[t.kind], t.id)
			keep[t.id] = true
		}
	}
	s.images.prune(v.asOf, keep)
	s.images.settleMoves(v.asOf.Add(-readTimeout))
	clear(s.gone)
	c.Send(c.Parent(), messages.SyncCompleted{AsOf: v.asOf, Unread: unread})
	s.report("watching")
	if s.imageList.afterSync {
		s.imageList.afterSync = false
		s.listImagesSoon()
	}
	s.syncs++
	s.tasks.After(resyncPause(s.syncs, s.settings.Resync), syncDue{})
}
