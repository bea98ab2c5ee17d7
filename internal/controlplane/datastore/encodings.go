package datastore

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/runtime"
)

// jsonVersion returns the group and version in which an encoding of a watch event writes its
// object, if it is JSON of the whole object. The API server describes encoders by nested
// JSON: of the event, of the conversion to a version, and of the serializer.
func jsonVersion(id runtime.Identifier) (version string, isJSON bool) {
	var event struct{ Name, EmbeddedEncoder, Encoder string }
	var conversion struct{ Name, EncodeGV, Encoder string }
	var serializer struct{ Name, YAML, Pretty string }
	isPlain := unmarshal(string(id), &event) && event.Name == "watch" &&
		unmarshal(event.EmbeddedEncoder, &conversion) && conversion.Name == "versioning" &&
		unmarshal(conversion.Encoder, &serializer) && serializer.Name == "json" &&
		serializer.YAML == "false" && serializer.Pretty == "false"
	return conversion.EncodeGV, isPlain && conversion.EncodeGV != ""
}

func unmarshal(text string, into any) bool { return json.Unmarshal([]byte(text), into) == nil }

// withRevision returns the JSON of a stored object with its revision. It returns false unless
// the object begins as both encoders of the API server write it, with its kind and this
// version, in any order, and its metadata.
func withRevision(stored []byte, version string, revision int64) ([]byte, bool) {
	const metadata = `,"metadata":{"`
	head, rest, found := bytes.Cut(stored, []byte(metadata))
	if !found || !isHead(string(head), version) {
		return nil, false
	}
	raw := make([]byte, 0, len(stored)+len(`resourceVersion":"","`)+20)
	raw = append(raw, head...)
	raw = append(raw, metadata...)
	raw = append(raw, `resourceVersion":"`...)
	raw = strconv.AppendInt(raw, revision, 10)
	raw = append(raw, `","`...)
	return append(raw, rest...), true
}

// isHead reports whether the beginning of an object consists of any kind and this version.
func isHead(head, version string) bool {
	kind, ok := strings.CutPrefix(head, `{"apiVersion":"`+version+`","kind":"`)
	if !ok {
		if kind, ok = strings.CutSuffix(head, `","apiVersion":"`+version+`"`); ok {
			kind, ok = strings.CutPrefix(kind, `{"kind":"`)
		}
		return ok && !strings.ContainsAny(kind, `"\\`)
	}
	kind, ok = strings.CutSuffix(kind, `"`)
	return ok && !strings.ContainsAny(kind, `"\\`)
}
