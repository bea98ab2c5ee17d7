package docker

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/async"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
)

// Messages of a full sync to the watcher.
type (
	syncListed struct{ Counts map[containersv1.Kind]int }
	syncRead   struct {
		asOf time.Time
		// unlisted are the kinds that the engine refused to list, with its words.
		unlisted map[containersv1.Kind]error
		err      error
	}
)

const (
	// syncPatience is how long a full sync may read nothing. There is no limit for the
	// whole of it: a sync that takes long would start over and never finish.
	syncPatience = 5 * time.Minute
	// freshFor is how long an image is not inspected again while lists show the same
	// tags and digests. Nothing else of an image can change, so this is a safety net.
	freshFor = time.Hour
	// firstResync is the pause before the second full sync. Each further pause is twice
	// as long, up to Settings.Resync. The second sync inspects the images for which
	// the first one used their mirrors: an earlier version of rdd may have written them.
	firstResync = 10 * time.Second
)

// resyncPause returns the pause after a number of full syncs, counted from one.
func resyncPause(syncs int, longest time.Duration) time.Duration {
	pause := firstResync
	for i := 1; i < syncs && pause < longest; i++ {
		pause *= 2
	}
	return min(pause, longest)
}

// startSync starts a full sync, unless one runs.
func (w *watcher) startSync() {
	if w.syncing {
		return
	}
	w.syncing = true
	fresh := w.images.freshImages(time.Now().Add(-freshFor))
	for id, images := range w.known {
		if fresh[id] == nil {
			fresh[id] = images
		}
	}
	w.known = nil
	s := fullSync{api: w.api, pool: w.settings.Pool, fresh: fresh, read: w.read}
	w.tasks.Loop(func(ctx context.Context, send func(any)) any {
		ctx, progressed, cancel := async.WithPatience(ctx, syncPatience, "the full sync")
		defer cancel()
		s.asOf = time.Now()
		s.send = func(v any) {
			if r, ok := v.(reading); !ok || r.err == nil {
				progressed()
			}
			send(v)
		}
		unlisted, err := s.run(ctx)
		return syncRead{asOf: s.asOf, unlisted: unlisted, err: err}
	})
}

// fullSync reads everything once, in a goroutine of its own.
type fullSync struct {
	api  API
	pool int
	// fresh are the images, by ID, that need no inspection while a list shows the same.
	fresh map[string][]*containersv1.Image
	read  func(context.Context, engine.Key) reading
	send  func(any)
	asOf  time.Time
}

// run lists every kind at once. Then it inspects each object of which the lists do
// not have every field, a bounded number at a time. It returns the kinds that the engine
// refused to list. The other kinds are read: a damaged image store, or the plugin of a
// volume that fails, must not hide the containers.
func (s *fullSync) run(ctx context.Context) (unlisted map[containersv1.Kind]error, err error) {
	table := kindTable()
	objects, unlisted, err := s.list(ctx, table)
	if err != nil {
		return nil, fmt.Errorf("list the engine's objects: %w", err)
	}
	counts := map[containersv1.Kind]int{}
	for i, row := range table {
		if unlisted[row.kind] == nil {
			counts[row.kind] = len(objects[i])
		}
	}
	s.send(syncListed{counts})
	s.sendListed(namespaceMirror())
	var pool errgroup.Group
	pool.SetLimit(s.pool)
	for i, row := range table {
		s.readAll(ctx, &pool, row.kind, objects[i])
	}
	_ = pool.Wait() // each reading has its own error
	if ctx.Err() != nil {
		return nil, fmt.Errorf("read the engine's objects: %w", context.Cause(ctx))
	}
	return unlisted, nil
}

// list lists the objects of every kind at once.
func (s *fullSync) list(ctx context.Context, table []kindRow) (objects [][]Listed, unlisted map[containersv1.Kind]error, err error) {
	objects = make([][]Listed, len(table))
	refusals := make([]error, len(table))
	lists, listing := errgroup.WithContext(ctx)
	for i, row := range table {
		lists.Go(func() error {
			return async.Safely(func() error {
				var err error
				objects[i], err = s.api.List(listing, row.kind)
				if IsUnreachable(err) || listing.Err() != nil {
					return err
				}
				refusals[i] = err
				return nil
			})
		})
	}
	if err := lists.Wait(); err != nil {
		return nil, nil, err
	}
	unlisted = map[containersv1.Kind]error{}
	for i, row := range table {
		if refusals[i] != nil {
			unlisted[row.kind] = refusals[i]
		}
	}
	return objects, unlisted, nil
}

// sendListed sends an object of which a list has every field.
func (s *fullSync) sendListed(m containersv1.Mirror) {
	s.send(reading{key: engine.KeyOf(m), mirrors: []containersv1.Mirror{m}, asOf: s.asOf, bySync: true})
}

// readAll reads the objects of a list, but those of which the list has every field, and
// the images that are fresh.
func (s *fullSync) readAll(ctx context.Context, pool *errgroup.Group, kind containersv1.Kind, objects []Listed) {
	var stale []Listed
	for _, object := range objects {
		switch fresh := s.fresh[object.ID]; {
		case object.Mirror != nil:
			s.sendListed(object.Mirror)
		case kind == containersv1.KindImage && object.SameAs(fresh):
			mirrors, _ := mirrorsOf(fresh, nil)
			s.send(reading{key: engine.Key{Kind: kind, ID: object.ID}, mirrors: mirrors, asOf: s.asOf, bySync: true, listed: true})
		default:
			stale = append(stale, object)
		}
	}
	for _, object := range stale {
		pool.Go(func() error {
			v := s.inspect(ctx, engine.Key{Kind: kind, ID: object.ID})
			if kind == containersv1.KindImage && v.err == nil && !hasTag(v.mirrors) && object.SameAs(imagesIn(v.mirrors)) {
				// The list shows it without a tag too. That is as old as the list. An image
				// that has lost its last tag since may be hidden.
				v.shown, v.asOf = true, s.asOf
			}
			s.send(v)
			return nil
		})
	}
}

func (s *fullSync) inspect(ctx context.Context, key engine.Key) reading {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	v := s.read(ctx, key)
	v.bySync = true
	return v
}

// syncRead ends a full sync, or waits for the list that shows whether the engine hides
// the images that are held.
func (w *watcher) syncRead(v syncRead) error {
	if v.err != nil {
		return v.err
	}
	if len(w.images.held) > 0 && w.imageList.running {
		w.imageList.syncWaiting = &v
		return nil
	}
	w.completeSync(v)
	return nil
}

// unreadObjects returns the objects that could not be read, and the images that are held.
func (w *watcher) unreadObjects() map[engine.Key]bool {
	unread := map[engine.Key]bool{}
	for key, r := range w.reads {
		if r.attempts > 0 {
			unread[key] = true
		}
	}
	for id := range w.images.held {
		unread[engine.Key{Kind: containersv1.KindImage, ID: id}] = true
	}
	return unread
}

// nextSync returns the pause before the next full sync, which comes soon if the engine
// refused to list a kind.
func (w *watcher) nextSync(unlisted map[containersv1.Kind]error) time.Duration {
	pause := resyncPause(w.syncs, w.settings.Resync)
	if len(unlisted) == 0 {
		w.unlistedSyncs = 0
		return pause
	}
	w.unlistedSyncs++
	for kind, err := range unlisted {
		if w.unlistedSyncs == 1 { // once, and not for each attempt
			w.logger.Warn("the engine refused to list objects; their mirrors stay as they are", "kind", kind, "err", err)
		}
	}
	return min(pause, unlistedBackoff().Delay(w.unlistedSyncs))
}

// unlistedBackoff returns the pauses between full syncs in which the engine refused to
// list a kind.
func unlistedBackoff() async.Backoff {
	return async.Backoff{Min: 2 * time.Second, Max: 30 * time.Second}
}

func (w *watcher) completeSync(v syncRead) {
	w.syncing = false
	objects := w.unreadObjects()
	isUnread := func(key engine.Key) bool { return objects[key] || v.unlisted[key.Kind] != nil }
	unread := slices.Collect(maps.Keys(objects))
	slices.SortFunc(unread, func(a, b engine.Key) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.ID, b.ID))
	})
	w.images.prune(v.asOf, isUnread)
	w.images.pruneMoves(v.asOf.Add(-readTimeout))
	maps.DeleteFunc(w.prunable, func(key engine.Key, at time.Time) bool { return at.Before(v.asOf) && !isUnread(key) })
	maps.DeleteFunc(w.gone, func(_ engine.Key, at time.Time) bool { return at.Before(v.asOf) })
	w.pruneHealth(v.asOf, isUnread)
	w.syncedAsOf = v.asOf
	w.sink(engine.Synced{AsOf: v.asOf, Unread: unread, Unlisted: v.unlisted})
	if w.imageList.afterSync {
		w.imageList.afterSync = false
		w.imageList.soon()
	}
	w.syncs++
	w.tasks.After(w.nextSync(v.unlisted), syncDue{})
}
