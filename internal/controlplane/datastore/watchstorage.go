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

// watchStorage is the storage of a resource, with the datastore's own watches. Those
// of etcd3 storage decode every event for each client, and keep a hundred or more
// decoded objects for a client that does not read.
type watchStorage struct {
	storage.Interface

	store *Store
	codec runtime.Codec
	// transformer is the same as in the embedded storage.
	transformer value.Transformer
	newFunc     func() runtime.Object
	// root is the prefix of all keys; prefix follows it in the resource's keys.
	root, prefix string
	watchMode
}

// watchMode is how the watches of a resource share objects.
type watchMode struct {
	// shared makes all watches share their objects, encoded once for all clients.
	shared bool
	// storesWhatIsServed is set if the stored JSON of a new object is what clients of its
	// version receive.
	storesWhatIsServed bool
}

var _ storage.Interface = (*watchStorage)(nil)

// Watch implements [storage.Interface]. It rejects a future revision before the watch
// starts, as kube-apiserver does. The channel is closed when ctx or the store ends, or
// when the reader is too slow. The client then resumes from the last revision that it
// received.
func (w *watchStorage) Watch(ctx context.Context, key string, opts storage.ListOptions) (watch.Interface, error) {
	path, err := storage.PrepareKey(w.prefix, key, opts.Recursive)
	if err != nil {
		return nil, err
	}
	path = strings.TrimSuffix(w.root, "/") + "/" + strings.TrimPrefix(path, "/")
	requested, err := w.Versioner().ParseResourceVersion(opts.ResourceVersion)
	if err != nil {
		return nil, err
	}
	// No replica lags behind, so a retry would not help.
	const retryAfter = 0
	if now := uint64(w.store.revision()); requested > now { //nolint:gosec // revisions begin at 1
		return nil, storage.NewTooLargeResourceVersionError(requested, now, retryAfter)
	}
	s := newStream(ctx, w, opts.Predicate)
	s.sendInitial, s.sendBookmark = initialEvents(requested, opts)
	if s.from = int64(requested); s.from == 0 { //nolint:gosec // it is at most the store's revision
		s.from = w.store.revision()
	}
	subscription := newSubscription(path, opts.Recursive)
	if w.shared {
		subscription.pace = &pace{}
	}
	if err := w.store.startStream(s, subscription); err != nil {
		s.cancel()
		return nil, err
	}
	utilflowcontrol.WatchInitialized(ctx)
	return s, nil
}

// initialEvents reports whether a watch starts with the existing objects, and whether
// a bookmark follows them.
func initialEvents(requested uint64, opts storage.ListOptions) (sendInitial, sendBookmark bool) {
	if opts.SendInitialEvents == nil {
		return requested == 0, false
	}
	if !utilfeature.DefaultFeatureGate.Enabled(features.WatchList) {
		return false, false
	}
	return *opts.SendInitialEvents, *opts.SendInitialEvents && opts.Predicate.AllowWatchBookmarks
}

// objectOf decodes an object and sets its resource version to a revision.
func (w *watchStorage) objectOf(ctx context.Context, kv *mvccpb.KeyValue, revision int64) (runtime.Object, error) {
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
