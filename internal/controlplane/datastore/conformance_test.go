package datastore

import (
	"context"
	"encoding/json"
	"sync/atomic"
	"testing"
	"time"

	"go.etcd.io/etcd/client/v3/kubernetes"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apiserver/pkg/apis/example"
	examplev1 "k8s.io/apiserver/pkg/apis/example/v1"
	"k8s.io/apiserver/pkg/storage"
	"k8s.io/apiserver/pkg/storage/etcd3"
	storagetesting "k8s.io/apiserver/pkg/storage/testing"
	"k8s.io/apiserver/pkg/storage/value"
)

// subject is the storage that Kubernetes' own tests run on: etcd3 storage on an empty
// datastore, with the interface that those tests expect.
type subject struct {
	storage.Interface
	store *Store
	codec runtime.Codec
	// transformer is between the storage and the datastore; tests replace it.
	transformer *replaceableTransformer
	original    *storagetesting.PrefixTransformer
	recorder    *storagetesting.KubernetesRecorder
	lists       *listCounter
}

var _ storagetesting.InterfaceWithPrefixTransformer = (*subject)(nil)

// transformed prefixes all values, so that a value that bypassed the transformer is
// detected.
const transformed = "test!"

func newSubject(t *testing.T, open func(*testing.T) *Store) *subject {
	t.Helper()
	original := storagetesting.NewPrefixTransformer([]byte(transformed), false)
	s := &subject{
		store:       open(t),
		codec:       podCodec(t),
		transformer: &replaceableTransformer{},
		original:    original,
	}
	s.transformer.use(original)
	s.lists = &listCounter{Interface: s.store.client.Kubernetes}
	s.recorder = storagetesting.NewKubernetesRecorder(s.lists)
	s.store.client.Kubernetes = s.recorder
	versioner := storage.APIObjectVersioner{}
	newPod := func() runtime.Object { return &example.Pod{} }
	inner, err := etcd3.New(s.store.client, nil, s.codec, newPod,
		func() runtime.Object { return &example.PodList{} }, prefix, "/pods/", schema.GroupResource{Resource: "pods"},
		s.transformer, etcd3.NewDefaultLeaseManagerConfig(), etcd3.NewDefaultDecoder(s.codec, versioner), versioner)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(inner.Close)
	s.Interface = &watchStorage{
		Interface: inner, store: s.store, codec: s.codec, transformer: s.transformer, newFunc: newPod, root: prefix, prefix: "/pods/",
	}
	return s
}

// podCodec encodes the pods of the tests.
func podCodec(t *testing.T) runtime.Codec {
	t.Helper()
	scheme := runtime.NewScheme()
	metav1.AddToGroupVersion(scheme, metav1.SchemeGroupVersion)
	for _, add := range []func(*runtime.Scheme) error{example.AddToScheme, examplev1.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	return serializer.NewCodecFactory(scheme).LegacyCodec(examplev1.SchemeGroupVersion)
}

// storeFromOne returns a store whose revisions start at 1, like those of etcd, as the
// tests expect.
func storeFromOne(t *testing.T) *Store {
	t.Helper()
	store, err := open(t.Context(), t.TempDir(), settings{reserved: reserved(t), now: time.UnixMicro(1)})
	closeAtEnd(t, store, err)
	return store
}

// memoryFromOne is like storeFromOne, in memory.
func memoryFromOne(t *testing.T) *Store {
	t.Helper()
	store := openMemory(t.Context(), Limits{Objects: 20_000, Bytes: 64 << 20, Age: time.Hour}, 1)
	closeAtEnd(t, store, nil)
	return store
}

// UpdatePrefixTransformer implements [storagetesting.InterfaceWithPrefixTransformer].
func (s *subject) UpdatePrefixTransformer(modify storagetesting.PrefixTransformerModifier) func() {
	other := *s.original
	s.transformer.use(modify(&other))
	return func() { s.transformer.use(s.original) }
}

// replaceableTransformer is a transformer that can be replaced while watches run.
type replaceableTransformer struct {
	current atomic.Pointer[value.Transformer]
}

func (e *replaceableTransformer) use(transformer value.Transformer) { e.current.Store(&transformer) }

// TransformFromStorage implements [value.Transformer].
func (e *replaceableTransformer) TransformFromStorage(ctx context.Context, data []byte, about value.Context) ([]byte, bool, error) {
	return (*e.current.Load()).TransformFromStorage(ctx, data, about)
}

// TransformToStorage implements [value.Transformer].
func (e *replaceableTransformer) TransformToStorage(ctx context.Context, data []byte, about value.Context) ([]byte, error) {
	return (*e.current.Load()).TransformToStorage(ctx, data, about)
}

// listCounter counts the lists that the storage requests from the datastore.
type listCounter struct {
	kubernetes.Interface
	count atomic.Uint64
}

// List implements [kubernetes.Interface].
func (c *listCounter) List(ctx context.Context, prefix string, opts kubernetes.ListOptions) (kubernetes.ListResponse, error) {
	c.count.Add(1)
	return c.Interface.List(ctx, prefix, opts)
}

// validateStored checks the stored form of an object.
func (s *subject) validateStored(ctx context.Context, t *testing.T, key string) {
	t.Helper()
	found, err := s.store.client.Kubernetes.Get(ctx, prefix+key, kubernetes.GetOptions{})
	if err != nil || found.KV == nil {
		t.Fatalf("%s is not stored: %v", key, err)
	}
	var pod struct{ Metadata map[string]any }
	if err := json.Unmarshal(found.KV.Value[len(transformed):], &pod); err != nil {
		t.Fatalf("%s is stored as %q: %v", key, found.KV.Value, err)
	}
	for _, field := range []string{"resourceVersion", "selfLink"} {
		if pod.Metadata[field] != nil {
			t.Errorf("%s is stored with its %s", key, field)
		}
	}
}

// validateCalls compares the number of lists with the number that growing pages need.
func (s *subject) validateCalls(t *testing.T, pageSize, objects uint64) {
	t.Helper()
	const maxPage = 10000
	if reads := s.original.GetReadsAndReset(); reads != objects {
		t.Errorf("%d objects were read, want %d", reads, objects)
	}
	want, limit := uint64(1), pageSize
	for sum := uint64(1); pageSize != 0 && sum < objects; want++ {
		limit = min(2*limit, maxPage)
		sum += limit
	}
	if lists := s.lists.count.Swap(0); lists != want {
		t.Errorf("there were %d lists, want %d", lists, want)
	}
}

// increase increases the revision by one and returns it.
func (s *subject) increase(ctx context.Context, t *testing.T) int64 {
	t.Helper()
	const key = "/increase"
	found, err := s.store.client.Kubernetes.Get(ctx, key, kubernetes.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var last int64
	if found.KV != nil {
		last = found.KV.ModRevision
	}
	put, err := s.store.client.Kubernetes.OptimisticPut(ctx, key, []byte("ok"), last, kubernetes.PutOptions{})
	if err != nil || !put.Succeeded {
		t.Fatalf("increase the revision: %+v, %v", put, err)
	}
	return put.Revision
}

// compact compacts up to a revision at once, as etcd does.
func (s *subject) compact(ctx context.Context, t *testing.T, resourceVersion string) {
	t.Helper()
	revision, err := storage.APIObjectVersioner{}.ParseResourceVersion(resourceVersion)
	if err != nil {
		t.Fatal(err)
	}
	if err := compactTo(ctx, s.store, int64(revision)); err != nil {
		t.Fatal(err)
	}
	s.increase(ctx, t)
}

func compactTo(ctx context.Context, store *Store, revision int64) error {
	switch l := store.history.(type) {
	case *log:
		return l.compact(ctx, revision)
	case *memoryLog:
		l.mutex.Lock()
		defer l.mutex.Unlock()
		l.compact(revision)
	}
	return nil
}

// GuaranteedUpdate implements [storage.Interface]. It ignores the TTLs that some tests
// set.
func (s *subject) GuaranteedUpdate(ctx context.Context, key string, destination runtime.Object, ignoreNotFound bool,
	preconditions *storage.Preconditions, update storage.UpdateFunc, cached runtime.Object,
) error {
	return s.Interface.GuaranteedUpdate(ctx, key, destination, ignoreNotFound, preconditions,
		func(input runtime.Object, response storage.ResponseMeta) (runtime.Object, *uint64, error) {
			output, _, err := update(input, response)
			return output, nil, err
		}, cached)
}

// conformance returns Kubernetes' tests of what a registry may expect of its storage.
//
// It leaves out the tests of features that rdd does not have:
//   - objects that expire, which need leases (CreateWithTTL, GuaranteedUpdateWithTTL)
//   - progress notifications, which only a watch cache requests (ProgressNotify)
//   - the compact revision, which only a watch cache reads (CompactRevision)
//   - the deletion of corrupt objects, which is about encryption at rest, above the
//     datastore (…WithUnsafeDelete, …ErrorAggregation, …DecodeError)
func conformance() map[string]func(context.Context, *testing.T, *subject) {
	plain := func(test func(context.Context, *testing.T, storage.Interface)) func(context.Context, *testing.T, *subject) {
		return func(ctx context.Context, t *testing.T, s *subject) { test(ctx, t, s) }
	}
	transforming := func(test func(context.Context, *testing.T, storagetesting.InterfaceWithPrefixTransformer)) func(context.Context, *testing.T, *subject) {
		return func(ctx context.Context, t *testing.T, s *subject) { test(ctx, t, s) }
	}
	counted := func(test func(context.Context, *testing.T, storage.Interface, storagetesting.CallsValidation)) func(context.Context, *testing.T, *subject) {
		return func(ctx context.Context, t *testing.T, s *subject) { test(ctx, t, s, s.validateCalls) }
	}
	return map[string]func(context.Context, *testing.T, *subject){
		"Create": func(ctx context.Context, t *testing.T, s *subject) {
			storagetesting.RunTestCreate(ctx, t, s, s.validateStored)
		},
		"CreateWithKeyExist":                      plain(storagetesting.RunTestCreateWithKeyExist),
		"Get":                                     plain(storagetesting.RunTestGet),
		"KeySchema":                               plain(storagetesting.RunTestKeySchema),
		"UnconditionalDelete":                     plain(storagetesting.RunTestUnconditionalDelete),
		"ConditionalDelete":                       plain(storagetesting.RunTestConditionalDelete),
		"DeleteWithSuggestion":                    plain(storagetesting.RunTestDeleteWithSuggestion),
		"DeleteWithSuggestionAndConflict":         plain(storagetesting.RunTestDeleteWithSuggestionAndConflict),
		"DeleteWithConflict":                      plain(storagetesting.RunTestDeleteWithConflict),
		"DeleteWithSuggestionOfDeletedObject":     plain(storagetesting.RunTestDeleteWithSuggestionOfDeletedObject),
		"ValidateDeletionWithSuggestion":          plain(storagetesting.RunTestValidateDeletionWithSuggestion),
		"ValidateDeletionWithOnlySuggestionValid": plain(storagetesting.RunTestValidateDeletionWithOnlySuggestionValid),
		"PreconditionalDeleteWithSuggestion":      plain(storagetesting.RunTestPreconditionalDeleteWithSuggestion),
		"PreconditionalDeleteWithOnlySuggestion":  plain(storagetesting.RunTestPreconditionalDeleteWithOnlySuggestionPass),
		"GuaranteedUpdateWithConflict":            plain(storagetesting.RunTestGuaranteedUpdateWithConflict),
		"GuaranteedUpdateWithSuggestionConflict":  plain(storagetesting.RunTestGuaranteedUpdateWithSuggestionAndConflict),
		"GuaranteedUpdateChecksStoredData":        transforming(storagetesting.RunTestGuaranteedUpdateChecksStoredData),
		"GuaranteedUpdate": func(ctx context.Context, t *testing.T, s *subject) {
			storagetesting.RunTestGuaranteedUpdate(ctx, t, s, s.validateStored)
		},
		"TransformationFailure":      transforming(storagetesting.RunTestTransformationFailure),
		"ListPaging":                 plain(storagetesting.RunTestListPaging),
		"ListRecursivePrefix":        plain(storagetesting.RunTestGetListRecursivePrefix),
		"ListResourceVersionMatch":   transforming(storagetesting.RunTestListResourceVersionMatch),
		"NamespaceScopedList":        plain(storagetesting.RunTestNamespaceScopedList),
		"ListContinuation":           counted(storagetesting.RunTestListContinuation),
		"ListContinuationWithFilter": counted(storagetesting.RunTestListContinuationWithFilter),
		"ListPaginationRareObject":   counted(storagetesting.RunTestListPaginationRareObject),
		"List": func(ctx context.Context, t *testing.T, s *subject) {
			storagetesting.RunTestList(ctx, t, s, s.compact, false, s.recorder)
		},
		"ListNonRecursive": func(ctx context.Context, t *testing.T, s *subject) {
			storagetesting.RunTestGetListNonRecursive(ctx, t, s.increase, s)
		},
		"ConsistentList": func(ctx context.Context, t *testing.T, s *subject) {
			storagetesting.RunTestConsistentList(ctx, t, s, s.increase, false, true, false)
		},
		"ListInconsistentContinuation": func(ctx context.Context, t *testing.T, s *subject) {
			storagetesting.RunTestListInconsistentContinuation(ctx, t, s, s.compact)
		},
		"Stats": func(ctx context.Context, t *testing.T, s *subject) {
			storagetesting.RunTestStats(ctx, t, s, s.codec, s.transformer, false)
		},

		"Watch":                   plain(storagetesting.RunTestWatch),
		"ClusterScopedWatch":      plain(storagetesting.RunTestClusterScopedWatch),
		"NamespaceScopedWatch":    plain(storagetesting.RunTestNamespaceScopedWatch),
		"DeleteTriggerWatch":      plain(storagetesting.RunTestDeleteTriggerWatch),
		"WatchFromNonZero":        plain(storagetesting.RunTestWatchFromNonZero),
		"DelayedWatchDelivery":    plain(storagetesting.RunTestDelayedWatchDelivery),
		"WatchError":              transforming(storagetesting.RunTestWatchError),
		"WatchContextCancel":      plain(storagetesting.RunTestWatchContextCancel),
		"WatcherTimeout":          plain(storagetesting.RunTestWatcherTimeout),
		"WatchDeleteEventVersion": plain(storagetesting.RunTestWatchDeleteEventObjectHaveLatestRV),
		"WatchInitialization":     plain(storagetesting.RunTestWatchInitializationSignal),
		"WatchWithoutInitial":     plain(storagetesting.RunSendInitialEventsBackwardCompatibility),
		"WatchSemantics":          plain(storagetesting.RunWatchSemantics),
		"WatchInitialEvents":      plain(storagetesting.RunWatchSemanticInitialEventsExtended),
		"WatchListMatchSingle":    plain(storagetesting.RunWatchListMatchSingle),
		"WatchErrorBlocks":        transforming(storagetesting.RunWatchErrorIsBlockingFurtherEvents),
		"WatchBookmarks": func(ctx context.Context, t *testing.T, s *subject) {
			storagetesting.RunTestWatchDispatchBookmarkEvents(ctx, t, s, false)
		},
		"WatchFromZero": func(ctx context.Context, t *testing.T, s *subject) {
			storagetesting.RunTestWatchFromZero(ctx, t, s, s.compact)
		},
	}
}

// Kubernetes' own tests of a storage run, each on a datastore of its own.
func TestConformance(t *testing.T) {
	for place, open := range map[string]func(*testing.T) *Store{"file": storeFromOne, "memory": memoryFromOne} {
		for name, test := range conformance() {
			t.Run(place+"/"+name, func(t *testing.T) { test(t.Context(), t, newSubject(t, open)) })
		}
	}
}
