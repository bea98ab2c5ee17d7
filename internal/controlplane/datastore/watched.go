package datastore

import (
	"context"
	"fmt"
	"strings"

	"go.etcd.io/etcd/api/v3/mvccpb"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/apiserver/pkg/features"
	"k8s.io/apiserver/pkg/storage"
	"k8s.io/apiserver/pkg/storage/value"
	utilfeature "k8s.io/apiserver/pkg/util/feature"
	utilflowcontrol "k8s.io/apiserver/pkg/util/flowcontrol"
)

// watched is the storage of a resource with watches of our own. Those of etcd's
// storage decode every event for each client, and keep some hundred decoded objects
// for a client that does not read.
type watched struct {
	storage.Interface

	store *Store
	codec runtime.Codec
	// transformer is that of the storage.
	transformer value.Transformer
	newFunc     func() runtime.Object
	// root is the beginning of all keys, prefix that of the resource's after it.
	root, prefix string
	// shared is set if all watches get the same objects, encoded for clients once.
	shared bool
}

var _ storage.Interface = (*watched)(nil)

// Watch implements [storage.Interface]. A revision of the future is rejected before
// the watch begins, as kube-apiserver does. The channel is closed when ctx or the
// store ends, or when the reader is too slow; a client then resumes from the last
// revision that it saw.
func (w *watched) Watch(ctx context.Context, key string, opts storage.ListOptions) (watch.Interface, error) {
	path, err := storage.PrepareKey(w.prefix, key, opts.Recursive)
	if err != nil {
		return nil, err
	}
	path = strings.TrimSuffix(w.root, "/") + "/" + strings.TrimPrefix(path, "/")
	requested, err := w.Versioner().ParseResourceVersion(opts.ResourceVersion)
	if err != nil {
		return nil, err
	}
	// There is no replica that lags behind, so waiting does not help.
	const retryAfter = 0
	if now := uint64(w.store.revision()); requested > now { //nolint:gosec // revisions begin at 1
		return nil, storage.NewTooLargeResourceVersionError(requested, now, retryAfter)
	}
	s := newStream(ctx, w, opts.Predicate)
	s.initial, s.bookmark = beginning(requested, opts)
	if s.from = int64(requested); s.from == 0 { //nolint:gosec // it is no more than the store's
		s.from = w.store.revision()
	}
	if err := w.store.start(s, newSubscription(path, opts.Recursive)); err != nil {
		s.cancel()
		return nil, err
	}
	utilflowcontrol.WatchInitialized(ctx)
	return s, nil
}

// beginning returns whether a watch begins with the objects that are there, and with
// a bookmark after them.
func beginning(requested uint64, opts storage.ListOptions) (initial, bookmark bool) {
	if opts.SendInitialEvents == nil {
		return requested == 0, false
	}
	if !utilfeature.DefaultFeatureGate.Enabled(features.WatchList) {
		return false, false
	}
	return *opts.SendInitialEvents, *opts.SendInitialEvents && opts.Predicate.AllowWatchBookmarks
}

// decode decodes the object of an event, or that from before it, with the event's
// revision.
func (w *watched) decode(ctx context.Context, e *event, previous bool, to *decoded) {
	kv := e.Kv
	if previous {
		kv = e.PrevKv
	}
	to.object, to.err = w.objectOf(ctx, kv, e.Kv.ModRevision)
	to.served = to.object
	if w.shared && to.err == nil {
		to.served = &served{Object: to.object}
	}
}

func (w *watched) objectOf(ctx context.Context, kv *mvccpb.KeyValue, revision int64) (runtime.Object, error) {
	text, _, err := w.transformer.TransformFromStorage(ctx, kv.GetValue(), value.DefaultContext(kv.GetKey()))
	if err != nil {
		return nil, err
	}
	object, err := runtime.Decode(w.codec, text)
	if err != nil {
		return nil, fmt.Errorf("decode %s: %w", kv.GetKey(), err)
	}
	if err := w.Versioner().UpdateObject(object, uint64(revision)); err != nil { //nolint:gosec // revisions begin at 1
		return nil, fmt.Errorf("set the resource version of %s: %w", kv.GetKey(), err)
	}
	return object, nil
}
