package datastore

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/kubernetes"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/apis/example"
	"k8s.io/apiserver/pkg/storage"
	"k8s.io/apiserver/pkg/storage/etcd3"
	"k8s.io/apiserver/pkg/storage/value/encrypt/identity"
)

const (
	etcdName = "etcd"
	podsPath = "/pods/"
)

// backend is a storage of pods whose results a differential test compares.
type backend struct {
	t       *testing.T
	name    string
	storage storage.Interface
	keys    kubernetes.Interface
	kv      clientv3.KV
	// root is the prefix of all keys.
	root    string
	compact func(ctx context.Context, revision int64) error
	// reopen is nil for a backend that cannot be closed and opened again.
	reopen func()
	// watching receives when etcd has registered a watch; nil: a watch is registered at once.
	watching chan struct{}

	// revisions are those after each change, and at first the one before them; aliases are
	// further revisions of the same states.
	revisions []int64
	aliases   map[int64]int
	// seen has an object as it was once read, by its key.
	seen map[string]*example.Pod
	// tokens continue lists.
	tokens  [3]string
	watches map[int]*recorder
}

func newPodObject() runtime.Object { return &example.Pod{} }

func newPodList() runtime.Object { return &example.PodList{} }

func newBackend(t *testing.T, name, root string) *backend {
	return &backend{t: t, name: name, root: root, aliases: map[int64]int{}, seen: map[string]*example.Pod{}, watches: map[int]*recorder{}}
}

// newEtcdBackend returns the storage of Kubernetes on etcd.
func newEtcdBackend(t *testing.T, endpoint string, seed uint64) *backend {
	t.Helper()
	client, err := kubernetes.New(clientv3.Config{Endpoints: []string{endpoint}, DialTimeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() }) // it reports that its context ended
	b := newBackend(t, etcdName, fmt.Sprintf("/seed-%d", seed))
	b.watching = make(chan struct{}, 1)
	client.Watcher = &signallingWatcher{Watcher: client.Watcher, watching: b.watching}
	codec, versioner := podCodec(t), storage.APIObjectVersioner{}
	inner, err := etcd3.New(client, nil, codec, newPodObject, newPodList, b.root, podsPath, schema.GroupResource{Resource: "pods"},
		identity.NewEncryptCheckTransformer(), etcd3.NewDefaultLeaseManagerConfig(), etcd3.NewDefaultDecoder(codec, versioner), versioner)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(inner.Close)
	b.storage, b.keys, b.kv = inner, client.Kubernetes, client.KV
	b.compact = func(ctx context.Context, revision int64) error {
		_, err := client.Compact(ctx, revision, clientv3.WithCompactPhysical())
		return err
	}
	b.refresh(t.Context())
	return b
}

// newFileBackend returns a store in a file, with shared watches.
func newFileBackend(t *testing.T) *backend {
	t.Helper()
	dir, reserved := t.TempDir(), reserved(t)
	b := newBackend(t, "file", prefix)
	var store *Store
	closeStore := func() {
		if err := store.Close(context.Background()); err != nil {
			t.Error(err)
		}
	}
	openStore := func() {
		var err error
		if store, err = Open(t.Context(), dir, reserved, nil); err != nil {
			t.Fatal(err)
		}
		b.use(store)
	}
	openStore()
	t.Cleanup(func() { closeStore() })
	b.reopen = func() {
		closeStore()
		openStore()
		b.aliases[b.current(t.Context())] = len(b.revisions) - 1
	}
	b.refresh(t.Context())
	return b
}

func newMemoryBackend(t *testing.T) *backend {
	t.Helper()
	b := newBackend(t, "memory", prefix)
	store := OpenMemory(t.Context(), Limits{Objects: 1000, Bytes: 1 << 20, Age: time.Hour}, 0)
	closeAtEnd(t, store, nil)
	b.use(store)
	b.refresh(t.Context())
	return b
}

// use makes the backend use an open store.
func (b *backend) use(store *Store) {
	b.t.Helper()
	options, err := store.RESTOptions(podCodec(b.t), nil).GetRESTOptions(schema.GroupResource{Resource: "pods"}, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	s, destroy, err := options.Decorator(options.StorageConfig, podsPath, nil, newPodObject, newPodList, nil, nil, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(destroy)
	b.storage, b.keys, b.kv = s, store.client.Kubernetes, store.client.KV
	b.compact = func(ctx context.Context, revision int64) error { return compactTo(ctx, store, revision) }
}

// current is the latest revision.
func (b *backend) current(ctx context.Context) int64 {
	b.t.Helper()
	revision, err := b.storage.GetCurrentResourceVersion(ctx)
	if err != nil {
		b.t.Fatalf("%s: %v", b.name, err)
	}
	return int64(revision)
}

// refresh records the revision of a change that was made.
func (b *backend) refresh(ctx context.Context) {
	b.t.Helper()
	revision := b.current(ctx)
	if _, known := b.index(revision); !known {
		b.revisions = append(b.revisions, revision)
	}
}

// index returns the number of changes up to a revision.
func (b *backend) index(revision int64) (int, bool) {
	if i, known := b.aliases[revision]; known {
		return i, true
	}
	return slices.BinarySearch(b.revisions, revision)
}

// revision returns a revision in a form that all backends share.
func (b *backend) revision(revision int64) string {
	i, known := b.index(revision)
	switch {
	case revision <= 0:
		return fmt.Sprint(revision)
	case !known:
		return fmt.Sprintf("unknown, before r%d", i)
	}
	return fmt.Sprintf("r%d", i)
}

func (b *backend) resourceVersion(text string) string {
	revision, err := storage.APIObjectVersioner{}.ParseResourceVersion(text)
	if err != nil {
		return err.Error()
	}
	return b.revision(int64(revision))
}

// describe returns an object in a form that all backends share.
func (b *backend) describe(object runtime.Object) string {
	if cached, ok := object.(runtime.CacheableObject); ok {
		object = cached.GetObject()
	}
	switch o := object.(type) {
	case *example.Pod:
		var notes []string
		for _, key := range slices.Sorted(maps.Keys(o.Annotations)) {
			notes = append(notes, key+"="+o.Annotations[key])
		}
		return fmt.Sprintf("%s/%s@%s uid=%s color=%s node=%s %s", o.Namespace, o.Name, b.resourceVersion(o.ResourceVersion),
			o.UID, o.Labels["color"], o.Spec.NodeName, strings.Join(notes, " "))
	case *metav1.Status:
		return errorKind(apierrors.FromObject(o))
	default:
		return fmt.Sprintf("%T", object)
	}
}

// errorKind returns what a client can see from an error.
func errorKind(err error) string {
	var future apierrors.APIStatus
	switch {
	case err == nil:
		return "ok"
	case storage.IsNotFound(err):
		return "not found"
	case storage.IsExist(err):
		return "exists"
	case storage.IsConflict(err):
		return "conflict"
	case storage.IsInvalidObj(err):
		return "invalid object"
	case storage.IsTooLargeResourceVersion(err):
		return "future"
	case errors.Is(err, rpctypes.ErrFutureRev):
		return "raw future"
	case errors.Is(err, rpctypes.ErrCompacted):
		return "raw compacted"
	case status.Code(err) == codes.Unimplemented:
		return codes.Unimplemented.String()
	case errors.As(err, &future):
		s := future.Status()
		return fmt.Sprintf("%d %s", s.Code, s.Reason)
	}
	return err.Error()
}

// signallingWatcher reports each watch that etcd has registered.
type signallingWatcher struct {
	clientv3.Watcher
	watching chan struct{}
}

// Watch implements [clientv3.Watcher].
func (w *signallingWatcher) Watch(ctx context.Context, key string, opts ...clientv3.OpOption) clientv3.WatchChan {
	events := w.Watcher.Watch(ctx, key, opts...)
	select {
	case w.watching <- struct{}{}:
	case <-ctx.Done():
	}
	return events
}
