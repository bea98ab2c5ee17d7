package datastore

import (
	"context"
	"errors"
	"fmt"

	"go.etcd.io/etcd/api/v3/mvccpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/apiserver/pkg/storage"
)

// streamBuffer is how many events may wait for the reader, in addition to those in
// the subscription. A reader that finds several of them sends them together.
const streamBuffer = 100

// stream is one watch of a resource.
type stream struct {
	watched   *watchStorage
	predicate storage.SelectionPredicate
	all       bool // the predicate matches everything
	// from is the revision after which the watch starts.
	from                      int64
	sendInitial, sendBookmark bool

	ctx     context.Context //nolint:containedctx // it is the lifetime of the watch
	cancel  context.CancelFunc
	results chan watch.Event
}

var _ watch.Interface = (*stream)(nil)

func newStream(ctx context.Context, w *watchStorage, predicate storage.SelectionPredicate) *stream {
	s := &stream{watched: w, predicate: predicate, all: predicate.Empty(), results: make(chan watch.Event, streamBuffer)}
	s.ctx, s.cancel = context.WithCancel(ctx)
	return s
}

// ResultChan implements [watch.Interface].
func (s *stream) ResultChan() <-chan watch.Event { return s.results }

// Stop implements [watch.Interface].
func (s *stream) Stop() { s.cancel() }

// startStream subscribes a stream and runs it in a goroutine until the stream or the store
// ends.
func (s *Store) startStream(stream *stream, subscription *subscription) error {
	if err := s.ensureHeadCurrent(); err != nil {
		return err
	}
	at, ok := s.subscribe(subscription, stream.sendInitial)
	if !ok {
		return errClosed
	}
	go func() {
		defer close(stream.results)
		defer stream.cancel()
		defer s.unsubscribe(subscription)
		stop := context.AfterFunc(s.client.Ctx(), stream.cancel)
		defer stop()
		if err := s.feed(stream, subscription, at); err != nil && stream.ctx.Err() == nil {
			stream.send(errorEvent(err))
		}
	}()
	return nil
}

// feed sends a stream the initial events, if its client requested them, and then all
// changes, until the stream or its subscription ends.
func (s *Store) feed(stream *stream, subscription *subscription, at startPoint) error {
	if !stream.sendInitial {
		return s.follow(stream.ctx, subscription, stream.from, at, stream.sendAll)
	}
	if ok, err := stream.sendInitialEvents(at); !ok || err != nil {
		return err
	}
	return s.follow(stream.ctx, subscription, at.revision, at, stream.sendAll)
}

// sendInitialEvents sends the existing objects, and the bookmark after them if the
// client requested it.
func (s *stream) sendInitialEvents(at startPoint) (bool, error) {
	for _, kv := range at.existing {
		// The object appears as created, at its own revision.
		created := &mvccpb.KeyValue{Key: kv.Key, Value: kv.Value, CreateRevision: kv.ModRevision, ModRevision: kv.ModRevision}
		ok, err := s.sendAll([]*event{{Event: &clientv3.Event{Type: mvccpb.PUT, Kv: created}}})
		if !ok || err != nil {
			return ok, err
		}
	}
	if !s.sendBookmark {
		return true, nil
	}
	object := s.watched.newFunc()
	if err := s.watched.Versioner().UpdateObject(object, uint64(at.revision)); err != nil { //nolint:gosec // revisions begin at 1
		return false, fmt.Errorf("make the bookmark after the initial events: %w", err)
	}
	if err := storage.AnnotateInitialEventsEndBookmark(object); err != nil {
		return false, fmt.Errorf("make the bookmark after the initial events: %w", err)
	}
	return s.send(watch.Event{Type: watch.Bookmark, Object: object}), nil
}

// sendAll sends the events that the predicate matches. It returns false when the
// stream has ended.
func (s *stream) sendAll(events []*event) (bool, error) {
	for i, e := range events {
		result, err := s.result(e)
		if err != nil {
			return false, err
		}
		events[i] = nil // a slow reader must not keep sent events in memory
		if result.Type != "" && !s.send(result) {
			return false, nil
		}
	}
	return true, nil
}

// result returns an event as the reader receives it; one without a type is not sent.
// A change can make an object match the predicate, or no longer match it.
func (s *stream) result(e *event) (watch.Event, error) {
	var now, before *decoded
	if e.Type != mvccpb.DELETE {
		now = e.of(s.ctx, s.watched, false)
	}
	if len(e.PrevKv.GetValue()) > 0 && (now == nil || !s.all) {
		before = e.of(s.ctx, s.watched, true)
	}
	isIn, err := s.matches(now)
	if err != nil {
		return watch.Event{}, err
	}
	wasIn, err := s.matches(before)
	if err != nil {
		return watch.Event{}, err
	}
	switch {
	case now == nil && wasIn:
		return watch.Event{Type: watch.Deleted, Object: before.reader()}, nil
	case now == nil:
		return watch.Event{}, nil
	case isIn && (e.IsCreate() || !s.all && !wasIn):
		return watch.Event{Type: watch.Added, Object: now.reader()}, nil
	case isIn:
		return watch.Event{Type: watch.Modified, Object: now.reader()}, nil
	case wasIn:
		return watch.Event{Type: watch.Deleted, Object: before.reader()}, nil
	}
	return watch.Event{}, nil
}

// matches reports whether the predicate matches an object. An object whose stored JSON is
// served is decoded only for a selector.
func (s *stream) matches(d *decoded) (bool, error) {
	if d == nil {
		return false, nil
	}
	if s.all && d.forClients.isServed() {
		return true, nil
	}
	object, err := d.object()
	if err != nil || s.all {
		return err == nil, err
	}
	matches, err := s.predicate.Matches(object)
	return err == nil && matches, nil
}

func (s *stream) send(result watch.Event) bool {
	select {
	case s.results <- result:
		return true
	case <-s.ctx.Done():
		return false
	}
}

// errorEvent returns the event that reports why a watch ends.
func errorEvent(err error) watch.Event {
	if errors.Is(err, rpctypes.ErrGRPCCompacted) {
		err = apierrors.NewResourceExpired("the resource version of the watch is too old, or not of this datastore: list again")
	}
	var known apierrors.APIStatus
	if !errors.As(err, &known) {
		known = apierrors.NewInternalError(err)
	}
	status := known.Status()
	return watch.Event{Type: watch.Error, Object: &status}
}
