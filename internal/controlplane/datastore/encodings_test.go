package datastore

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apiserver/pkg/storage"
)

// Identifiers as the API server builds them.
const (
	plain   = `{"name":"json","pretty":"false","strict":"false","yaml":"false"}`
	pretty  = `{"name":"json","pretty":"true","strict":"false","yaml":"false"}`
	cbor    = `{"name":"cbor"}`
	noWatch = "unstructuredJSON"
)

// eventOf returns the identifier of the encoding of an event.
func eventOf(t *testing.T, embedded string) runtime.Identifier {
	t.Helper()
	id, err := json.Marshal(map[string]string{"name": "watch", "embeddedEncoder": embedded, "encoder": plain, "eventType": "ADDED"})
	if err != nil {
		t.Fatal(err)
	}
	return runtime.Identifier(id)
}

// converted returns the identifier of an encoding in a version.
func converted(t *testing.T, version, serializer string) string {
	t.Helper()
	id, err := json.Marshal(map[string]string{"name": "versioning", "encodeGV": version, "encoder": serializer})
	if err != nil {
		t.Fatal(err)
	}
	return string(id)
}

func TestJSONVersion(t *testing.T) {
	table := `{"name":"watch-embedded","target":"meta.k8s.io/v1, Kind=Table","encoder":` + plain + `}`
	for id, want := range map[runtime.Identifier]string{
		eventOf(t, converted(t, "example.com/v1", plain)):  "example.com/v1",
		eventOf(t, converted(t, "example.com/v1", pretty)): "",
		eventOf(t, converted(t, "example.com/v1", cbor)):   "",
		eventOf(t, table): "",
		eventOf(t, plain): "",
		noWatch:           "",
		runtime.Identifier(converted(t, "example.com/v1", plain)): "",
	} {
		if got, ok := jsonVersion(id); ok != (want != "") || ok && got != want {
			t.Errorf("%s: %q %v, want %q", id, got, ok, want)
		}
	}
}

// What is sent is the stored object with its revision, or it is decoded.
func FuzzWithRevision(f *testing.F) {
	for _, stored := range []string{
		`{"kind":"A","apiVersion":"v1","metadata":{"name":"a"}}`, `{"apiVersion":"v1","kind":"A","metadata":{"name":"a"}}` + "\n",
		`{"kind":"A","apiVersion":"v2","metadata":{"name":"a"}}`, `{"kind":"A","apiVersion":"v1","metadata":{}}`,
		`{"kind":"A","apiVersion":"v1","spec":{"x":1,"metadata":{"name":"b"}},"metadata":{"name":"a"}}`,
		`{"kind":"A\",\"apiVersion\":\"v1","apiVersion":"v1","metadata":{"name":"a"}}`, `{"apiVersion":"v1","kind":"A"`, ``, `{}`,
	} {
		f.Add([]byte(stored))
	}
	f.Fuzz(func(t *testing.T, stored []byte) {
		var want struct {
			Kind, APIVersion *string
			Metadata         map[string]json.RawMessage
		}
		raw, ok := withRevision(stored, "v1", 7)
		if !ok || json.Unmarshal(stored, &want) != nil || want.Metadata["resourceVersion"] != nil {
			return
		}
		got := want
		got.Metadata = nil
		if err := json.Unmarshal(raw, &got); err != nil {
			t.Fatalf("%q became %q: %v", stored, raw, err)
		}
		if string(got.Metadata["resourceVersion"]) != `"7"` {
			t.Errorf("%q became %q", stored, raw)
		}
		delete(got.Metadata, "resourceVersion")
		if !maps.EqualFunc(got.Metadata, want.Metadata, func(a, b json.RawMessage) bool { return bytes.Equal(a, b) }) {
			t.Errorf("%q became %q", stored, raw)
		}
	})
}

// New custom resources are sent as stored and never decoded, to clients of their version.
// Another version and a selector need the decoded object, which is the same for all.
func TestCustomResourceIsSentAsStored(t *testing.T) {
	codec := &countingCodec{Codec: unstructured.UnstructuredJSONScheme}
	w := podsOf(t, testStore(t, t.TempDir(), "").CustomResourceOptions(codec))
	stream, err := w.Watch(t.Context(), "/pods/n/", storage.ListOptions{Recursive: true, Predicate: storage.Everything, SendInitialEvents: new(false)})
	if err != nil {
		t.Fatal(err)
	}
	put(t, w.store, "/registry/pods/n/a", pod(1), 0)
	object := next(t, stream).Object.(runtime.CacheableObject)
	encode := func(object runtime.Object, out io.Writer) error { return json.NewEncoder(out).Encode(object) }
	for _, step := range []struct {
		version string
		decoded int32
	}{{"v1", 0}, {"v1", 0}, {"v2", 1}} {
		var text bytes.Buffer
		if err := object.CacheEncode(eventOf(t, converted(t, step.version, plain)), encode, &text); err != nil {
			t.Fatal(err)
		}
		var sent unstructured.Unstructured
		if err := sent.UnmarshalJSON(text.Bytes()); err != nil || sent.GetResourceVersion() == "" || sent.GetName() != "a" {
			t.Errorf("%s was sent, %v", text.String(), err)
		}
		if got := codec.count.Load(); got != step.decoded {
			t.Errorf("for %s the object was decoded %d times, want %d", step.version, got, step.decoded)
		}
	}
}
