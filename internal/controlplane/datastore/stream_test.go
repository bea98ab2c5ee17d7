package datastore

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/apiserver/pkg/registry/generic"
	"k8s.io/apiserver/pkg/storage"
)

// A subscription that is not read ends when it has too many or too large events.
func TestSubscriptionOverrunEndsWatch(t *testing.T) {
	for name, test := range map[string]struct{ size, fits int }{
		"many small events": {1, maxPending},
		"few large events":  {1 << 20, maxPendingSize>>20 - 1},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSubscription("/a/", true)
			e := &event{Event: &clientv3.Event{Kv: &mvccpb.KeyValue{Key: []byte("/a/b"), Value: make([]byte, test.size)}}}
			for range test.fits {
				s.enqueue(e)
			}
			if events, complete := s.take(); !complete || len(events) != test.fits {
				t.Fatalf("%d of %d events, complete %v", len(events), test.fits, complete)
			}
			for range test.fits + 2 {
				s.enqueue(e)
			}
			if len(s.pending) > 0 {
				t.Errorf("an overrun subscription keeps %d events", len(s.pending))
			}
			if _, complete := s.take(); complete {
				t.Error("the subscription continues with events missing")
			}
		})
	}
}

// countingCodec counts the objects that are decoded.
type countingCodec struct {
	runtime.Codec
	count atomic.Int32
}

// Decode implements [runtime.Decoder].
func (c *countingCodec) Decode(data []byte, defaults *schema.GroupVersionKind, into runtime.Object) (runtime.Object, *schema.GroupVersionKind, error) {
	c.count.Add(1)
	return c.Codec.Decode(data, defaults, into)
}

// pods returns a storage whose watches share their objects.
func pods(t *testing.T) (*watchStorage, *countingCodec) {
	t.Helper()
	codec := &countingCodec{Codec: unstructured.UnstructuredJSONScheme}
	return podsOf(t, testStore(t, t.TempDir(), "").RESTOptions(codec, nil)), codec
}

func podsOf(t *testing.T, getter generic.RESTOptionsGetter) *watchStorage {
	t.Helper()
	options, err := getter.GetRESTOptions(schema.GroupResource{Resource: "pods"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	newFunc := func() runtime.Object { return &unstructured.Unstructured{} }
	newList := func() runtime.Object { return &unstructured.UnstructuredList{} }
	s, destroy, err := options.Decorator(options.StorageConfig, "/pods/", nil, newFunc, newList, nil, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(destroy)
	return s.(*watchStorage)
}

func pod(i int) string {
	return fmt.Sprintf(`{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a","namespace":"n"},"spec":{"i":%d}}`, i)
}

func next(t *testing.T, w watch.Interface) watch.Event {
	t.Helper()
	select {
	case e := <-w.ResultChan():
		return e
	case <-time.After(20 * time.Second):
		t.Fatal("no event within 20 s")
		return watch.Event{}
	}
}

// An event is decoded once and encoded once for any number of watches.
func TestWatchesShareEvents(t *testing.T) {
	const watches, writes = 20, 5
	w, codec := pods(t)
	var all []watch.Interface
	for range watches {
		stream, err := w.Watch(t.Context(), "/pods/n/", storage.ListOptions{Recursive: true, Predicate: storage.Everything, SendInitialEvents: new(false)})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, stream)
	}
	var last int64
	for i := range writes {
		last = put(t, w.store, "/registry/pods/n/a", pod(i), last).Revision
	}
	encoded := 0
	encode := func(object runtime.Object, out io.Writer) error {
		encoded++
		return unstructured.UnstructuredJSONScheme.Encode(object, out)
	}
	for i, stream := range all {
		for n := range writes {
			e := next(t, stream)
			var text bytes.Buffer
			if err := e.Object.(runtime.CacheableObject).CacheEncode("json", encode, &text); err != nil {
				t.Fatal(err)
			}
			if want := fmt.Sprintf(`"i":%d`, n); !strings.Contains(text.String(), want) {
				t.Errorf("event %d of watch %d is %s", n, i, text.String())
			}
		}
	}
	if got := codec.count.Load(); got != writes || encoded != writes {
		t.Errorf("%d events were decoded %d times and encoded %d times", writes, got, encoded)
	}
}

// A watch that is not read does not delay the others, and a deletion event has the
// object from before the deletion.
func TestUnreadWatchDelaysNoOther(t *testing.T) {
	w, _ := pods(t)
	options := storage.ListOptions{Recursive: true, Predicate: storage.Everything}
	unread, err := w.Watch(t.Context(), "/pods/n/", options)
	if err != nil {
		t.Fatal(err)
	}
	defer unread.Stop()
	read, err := w.Watch(t.Context(), "/pods/n/", options)
	if err != nil {
		t.Fatal(err)
	}
	var last int64
	for i := range 3 * streamBuffer {
		last = put(t, w.store, "/registry/pods/n/a", pod(i), last).Revision
		if e := next(t, read); (e.Type == watch.Added) != (i == 0) {
			t.Fatalf("event %d is %v", i, e.Type)
		}
	}
	if _, err := w.store.write(t.Context(), change{key: "/registry/pods/n/a", expected: last}); err != nil {
		t.Fatal(err)
	}
	e := next(t, read)
	object := e.Object.(runtime.CacheableObject).GetObject().(*unstructured.Unstructured)
	if e.Type != watch.Deleted || object.GetName() != "a" || object.GetResourceVersion() != fmt.Sprint(w.store.revision()) {
		t.Errorf("the deletion is %v %v", e.Type, object)
	}
	read.Stop()
	for range read.ResultChan() {
	}
}

// A failed encoding fails for every client, and does not affect another encoding.
func TestCachedObjectEncodings(t *testing.T) {
	object := &unstructured.Unstructured{Object: map[string]any{"kind": "K"}}
	s := &cachedObject{decoded: &decoded{object: func() (runtime.Object, error) { return object, nil }}}
	broken := errors.New("broken")
	for range 2 {
		if err := s.CacheEncode("a", func(runtime.Object, io.Writer) error { return broken }, io.Discard); !errors.Is(err, broken) {
			t.Errorf("got %v", err)
		}
	}
	var out bytes.Buffer
	err := s.CacheEncode("b", func(object runtime.Object, w io.Writer) error {
		object.(*unstructured.Unstructured).SetKind("changed") // encoders may do this
		_, err := w.Write([]byte("text"))
		return err
	}, &out)
	if err != nil || out.String() != "text" || object.GetKind() != "K" {
		t.Errorf("%q, %v, %v", out.String(), err, object)
	}
}
