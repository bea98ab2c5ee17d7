package docker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/async"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
)

const (
	// readTimeout bounds one read or one list of the engine.
	readTimeout = 30 * time.Second
	// maxMissedProbes is how many probes in a row may fail: a busy engine can miss one.
	maxMissedProbes = 1
	// inboxSize is how many results wait for the watcher before their goroutines do.
	inboxSize = 64
)

// watcher is one watch of the engine. Its methods run in the goroutine of Watch. Calls
// of the engine run in goroutines of tasks, whose results the watcher handles one at
// a time.
type watcher struct {
	api      API
	settings Settings
	logger   *slog.Logger
	sink     func(engine.Event)
	tasks    *async.Runner

	// reads are the objects that are being read, or that wait for a retry.
	reads map[engine.Key]*read
	// rechecks are the containers that are read again without an event.
	rechecks map[engine.Key]*recheck
	// health are the containers that have a health check.
	health map[engine.Key]*healthWatch
	// gone are the objects that were reported gone since the last full sync began, and
	// the time of that reading. An older reading that arrives late is ignored.
	gone map[engine.Key]time.Time
	// syncedAsOf is when the last complete full sync began. What it did not report is
	// gone, so an older reading that arrives late is ignored too.
	syncedAsOf time.Time

	images imageIndex
	// prunable are the volumes and networks, and when they were last reported. The
	// event of a prune names none of them.
	prunable map[engine.Key]time.Time

	// lists are the lists beside full syncs, of each kind of which an event may name no
	// object; imageList is one of them.
	lists     map[containersv1.Kind]*listing
	imageList imageListing

	// known are images as their mirrors show them, by ID. The first full sync uses them.
	known map[string][]*containersv1.Image
	// syncing is set while a full sync runs; syncs counts those that are complete.
	syncing bool
	syncs   int
	// unlistedSyncs counts the full syncs in a row in which the engine refused to list
	// a kind.
	unlistedSyncs int
	// missedProbes counts the probes in a row that failed.
	missedProbes int
}

// Messages of the watcher's goroutines to the watcher.
type (
	streamOpened struct{ info Info }
	streamClosed struct{ err error }
	probeDue     struct{}
	probed       struct{ err error }
	syncDue      struct{}
)

// Watch implements engine.Engine.
func (e *dockerEngine) Watch(ctx context.Context, known []containersv1.Mirror, sink func(engine.Event)) error {
	ctx, cancel := context.WithCancel(ctx)
	inbox := make(chan async.Result, inboxSize)
	tasks := async.NewRunner(ctx, func(result async.Result) {
		select {
		case inbox <- result:
		case <-ctx.Done():
		}
	})
	defer tasks.Wait()
	defer cancel()
	e.watching.Store(tasks)
	defer e.watching.CompareAndSwap(tasks, nil)
	w := newWatcher(e, tasks, sink)
	w.remember(known)
	tasks.Loop(w.follow)
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case result := <-inbox:
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if result.Err != nil {
				return result.Err
			}
			if err := w.handle(result.Value); err != nil {
				return classified(err)
			}
		}
	}
}

func newWatcher(e *dockerEngine, tasks *async.Runner, sink func(engine.Event)) *watcher {
	w := &watcher{
		api: e.API, settings: e.settings, logger: e.logger, sink: sink, tasks: tasks,
		reads: map[engine.Key]*read{}, rechecks: map[engine.Key]*recheck{}, health: map[engine.Key]*healthWatch{},
		gone: map[engine.Key]time.Time{}, images: newImageIndex(), prunable: map[engine.Key]time.Time{},
		known: map[string][]*containersv1.Image{}, lists: map[containersv1.Kind]*listing{},
	}
	for _, row := range kindTable() {
		if row.namesNone {
			w.lists[row.kind] = &listing{tasks: tasks, kind: row.kind, api: w.api}
		}
	}
	w.imageList.listing = w.lists[containersv1.KindImage]
	return w
}

// remember notes the mirrors of earlier readings.
func (w *watcher) remember(known []containersv1.Mirror) {
	for _, m := range known {
		key := engine.KeyOf(m)
		if image, ok := m.(*containersv1.Image); ok && key.ID != "" {
			read := &containersv1.Image{Status: image.Status}
			read.Name = image.Name
			read.Status.Conditions = nil // these are not the engine's
			w.known[key.ID] = append(w.known[key.ID], read)
		}
		if key.Kind != containersv1.KindImage && w.lists[key.Kind] != nil {
			w.prunable[key] = time.Time{}
		}
	}
	for _, images := range w.known {
		slices.SortFunc(images, func(a, b *containersv1.Image) int { return strings.Compare(a.Name, b.Name) })
	}
}

// handle handles one message. An error ends the watch.
func (w *watcher) handle(message any) error {
	switch v := message.(type) {
	case streamOpened:
		w.sink(engine.Connected{Version: v.info.Version, APIVersion: v.info.APIVersion})
		w.tasks.After(w.settings.Ping, probeDue{})
		w.startSync()
	case streamClosed:
		return v.err
	case Event:
		w.changed(v)
	case probeDue:
		w.probe()
	case probed:
		return w.probed(v.err)
	case syncDue:
		w.startSync()
	case syncListed:
		w.sink(engine.Listed(v))
	case syncRead:
		return w.syncRead(v)
	case reading:
		w.readDone(v)
	case retryDue:
		w.retryDue(v)
	case recheckDue:
		w.recheckDue(v.key)
	case transientSeen:
		w.refresh(v.key)
	case probeReadDue:
		w.probeReadDue(v.key)
	default:
		return w.handleList(message)
	}
	return nil
}

func (w *watcher) handleList(message any) error {
	switch v := message.(type) {
	case listDue:
		w.lists[v.kind].start()
	case listed:
		if v.kind == containersv1.KindImage {
			w.imagesListed(v)
		} else {
			w.objectsListed(v)
		}
	default:
		return fmt.Errorf("watch of the engine: unknown message %T", message)
	}
	return nil
}

// follow connects, subscribes, and forwards events until the stream ends.
func (w *watcher) follow(ctx context.Context, send func(any)) any {
	connecting, cancel := context.WithTimeout(ctx, w.settings.Answer)
	defer cancel()
	info, err := w.api.Connect(connecting)
	if err != nil {
		return streamClosed{err: fmt.Errorf("connect to the engine: %w", err)}
	}
	since := info.SystemTime
	if since.IsZero() {
		since = time.Now()
	}
	// The engine replays what happens from now on, so no event is missed between this
	// and the lists that the full sync begins with.
	events, ended := w.api.Events(ctx, since)
	send(streamOpened{info: info})
	for {
		select {
		case ev := <-events:
			send(ev)
		case err := <-ended:
			if err == nil {
				err = errors.New("closed by the engine")
			}
			return streamClosed{err: fmt.Errorf("event stream: %w", err)}
		}
	}
}

func (w *watcher) probe() {
	w.tasks.Go(w.settings.Answer, func(ctx context.Context) any {
		return probed{err: w.api.Ping(ctx)}
	})
}

// probed returns an error when too many probes in a row failed.
func (w *watcher) probed(err error) error {
	if err == nil {
		w.missedProbes = 0
		w.tasks.After(w.settings.Ping, probeDue{})
		return nil
	}
	if w.missedProbes++; w.missedProbes > maxMissedProbes {
		return fmt.Errorf("the engine does not answer: %w", err)
	}
	w.probe()
	return nil
}
