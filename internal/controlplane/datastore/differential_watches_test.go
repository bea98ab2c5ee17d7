package datastore

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/apiserver/pkg/apis/example"
	"k8s.io/apiserver/pkg/storage"
)

// markNote is the annotation by which an event shows that a watch has received all earlier
// changes.
const markNote = "mark"

// maxWatches is how many watches run at once.
const maxWatches = 6

// watchRequest is a watch that all backends run.
type watchRequest struct {
	id int
	scope
	selection selection
}

// recorder collects the events of a watch.
type recorder struct {
	stop context.CancelFunc

	mutex  sync.Mutex
	events []watch.Event
	// over is closed at the end of the watch.
	over chan struct{}
	// changed is closed and replaced at each change.
	changed chan struct{}
}

func record(w watch.Interface, stop context.CancelFunc) *recorder {
	r := &recorder{stop: stop, over: make(chan struct{}), changed: make(chan struct{})}
	go func() {
		for e := range w.ResultChan() {
			r.add(e)
		}
		close(r.over)
	}()
	return r
}

func (r *recorder) add(e watch.Event) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.events = append(r.events, e)
	close(r.changed)
	r.changed = make(chan struct{})
}

// wait waits until a condition on the events holds, or the watch has ended.
func (r *recorder) wait(t *testing.T, about string, holds func([]watch.Event) bool) {
	t.Helper()
	deadline := time.After(time.Minute)
	for {
		r.mutex.Lock()
		done, changed, count := holds(r.events), r.changed, len(r.events)
		r.mutex.Unlock()
		if done {
			return
		}
		select {
		case <-changed:
		case <-r.over:
			return
		case <-deadline:
			t.Fatalf("%s: the watch still waits after %d events", about, count)
		}
	}
}

// take returns the events up to the last one, and whether the watch has ended. Later
// events may still be missing, so they are left for the next call.
func (r *recorder) take(isLast func(watch.Event) bool) (events []watch.Event, ended bool) {
	select {
	case <-r.over:
		ended = true
	default:
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	end := len(r.events)
	if i := slices.IndexFunc(r.events, isLast); i >= 0 {
		end = i + 1
	}
	events, r.events = r.events[:end:end], r.events[end:]
	return events, ended
}

// startWatch starts a random watch.
func (d *differential) startWatch() {
	if len(d.watches) > maxWatches {
		d.stopWatches()
	}
	w := watchRequest{id: d.next(), scope: d.scope(), selection: d.selection()}
	w.selection.predicate.AllowWatchBookmarks = d.chance(50)
	options := storage.ListOptions{Recursive: w.recursive, Predicate: w.selection.predicate, ProgressNotify: d.chance(20)}
	if d.chance(60) {
		options.SendInitialEvents = new(d.chance(50))
	}
	at := d.version()
	op := operation{
		text: fmt.Sprintf("watch %d of %+v at %s, %s, bookmarks=%v, initial events %s", w.id, w.scope, at.text, w.selection.text,
			w.selection.predicate.AllowWatchBookmarks, flagText(options.SendInitialEvents)),
		run: func(ctx context.Context, b *backend) string {
			options := options
			options.ResourceVersion = at.of(b)
			return b.watch(ctx, w.id, w.path, options)
		},
	}
	initial := options.SendInitialEvents != nil && *options.SendInitialEvents
	switch {
	case at.text == futureVersion().text:
		op.deviation, op.instead = futureWatch, "future"
	case d.compacted > 0 && at.text == versionAt(d.compacted-1).text && !initial:
		op.deviation, op.instead = justCompacted, "ok, then ERROR 410 Expired"
	}
	if op.deviation == noDeviation {
		d.do(op)
		d.watches = append(d.watches, w)
		return
	}
	start := op.run
	op.run = func(ctx context.Context, b *backend) string {
		if b.name == etcdName {
			return "not called" // its events cannot be compared
		}
		return start(ctx, b) + b.firstEvent(w.id)
	}
	d.do(op)
}

func flagText(flag *bool) string {
	if flag == nil {
		return "unset"
	}
	return fmt.Sprint(*flag)
}

// watch starts a watch, and returns when it is registered or has ended.
func (b *backend) watch(ctx context.Context, id int, path string, options storage.ListOptions) string {
	ctx, stop := context.WithCancel(ctx)
	b.t.Cleanup(stop)
	select {
	case <-b.watching: // of an earlier watch that ended
	default:
	}
	started, err := b.storage.Watch(ctx, path, options)
	if err != nil {
		stop()
		return errorKind(err)
	}
	r := record(started, stop)
	b.watches[id] = r
	if b.watching != nil {
		select {
		case <-b.watching:
		case <-r.over:
		}
	}
	return "ok"
}

// firstEvent waits for the first event of a watch, which it ends.
func (b *backend) firstEvent(id int) string {
	r := b.watches[id]
	if r == nil {
		return ""
	}
	r.wait(b.t, b.name, func(events []watch.Event) bool { return len(events) > 0 })
	defer r.stop()
	delete(b.watches, id)
	events, _ := r.take(func(watch.Event) bool { return false })
	if len(events) == 0 {
		return ", then the end"
	}
	return ", then " + b.event(events[0])
}

func (b *backend) event(e watch.Event) string { return string(e.Type) + " " + b.describe(e.Object) }

// settle compares the events of all watches. A last change that the watch must receive
// shows that there are no further ones.
func (d *differential) settle() {
	d.t.Helper()
	marks := map[int]string{}
	for _, w := range d.watches {
		marks[w.id] = strconv.Itoa(d.next())
		d.do(w.mark(marks[w.id]))
	}
	d.watches = slices.DeleteFunc(d.watches, func(w watchRequest) bool {
		isMark := func(e watch.Event) bool { return isMarked(e, marks[w.id]) }
		for _, b := range d.backends {
			if r := b.watches[w.id]; r != nil {
				r.wait(d.t, d.story()+"\n"+b.name, func(events []watch.Event) bool { return slices.ContainsFunc(events, isMark) })
			}
		}
		ended := false
		d.do(operation{text: fmt.Sprintf("events of watch %d", w.id), run: func(_ context.Context, b *backend) string {
			var text string
			text, ended = b.takeEvents(w.id, isMark)
			return text
		}})
		return ended
	})
}

// mark changes an object so that the watch receives it.
func (w watchRequest) mark(mark string) operation {
	key := w.path
	switch {
	case w.recursive && w.path+"/" == podsPath:
		key += "/a/marked"
	case w.recursive:
		key += "/marked"
	}
	return operation{
		text: fmt.Sprintf("mark %s for watch %d with %s", key, w.id, mark),
		run: func(ctx context.Context, b *backend) string {
			out := &example.Pod{}
			try := func(input runtime.Object, _ storage.ResponseMeta) (runtime.Object, *uint64, error) {
				pod, ok := input.(*example.Pod)
				if !ok {
					return nil, nil, fmt.Errorf("the input is %T", input)
				}
				if pod.Name == "" {
					pod = newPod(key, 0)
				}
				w.selection.satisfy(pod)
				pod.Annotations = map[string]string{markNote: mark}
				return pod, nil, nil
			}
			err := b.storage.GuaranteedUpdate(ctx, key, out, true, nil, try, nil)
			b.refresh(ctx)
			return errorKind(err) + " " + b.describe(out)
		},
	}
}

func isMarked(e watch.Event, mark string) bool {
	object := e.Object
	if cached, ok := object.(runtime.CacheableObject); ok {
		object = cached.GetObject()
	}
	pod, ok := object.(*example.Pod)
	return ok && e.Type != watch.Deleted && pod.Annotations[markNote] == mark
}

// takeEvents returns the events up to the last one, and whether the watch has ended.
func (b *backend) takeEvents(id int, isLast func(watch.Event) bool) (text string, ended bool) {
	r := b.watches[id]
	if r == nil {
		return "not started", true
	}
	events, ended := r.take(isLast)
	lines := []string{fmt.Sprintf("ended=%v", ended)}
	for _, e := range events {
		lines = append(lines, b.event(e))
	}
	if ended {
		delete(b.watches, id)
	}
	return strings.Join(lines, "\n  "), ended
}

// stopWatches compares the events of all watches, and stops them.
func (d *differential) stopWatches() {
	d.settle()
	for _, w := range d.watches {
		for _, b := range d.backends {
			if r := b.watches[w.id]; r != nil {
				r.stop()
				<-r.over
				delete(b.watches, w.id)
			}
		}
	}
	d.watches = nil
}
