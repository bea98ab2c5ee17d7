package registry

import (
	"bytes"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer/json"
)

// codecOf returns the encoding of the server of custom resources.
func codecOf(scheme *runtime.Scheme) runtime.Codec {
	serializer := json.NewSerializerWithOptions(leadingMeta{}, scheme, scheme, json.SerializerOptions{})
	return runtime.NewCodec(serializer, serializer)
}

// leadingMeta finds the kind of an object in its first two fields, where both encoders of the
// API server write it. The default factory parses the whole object for it.
type leadingMeta struct{}

var _ json.MetaFactory = leadingMeta{}

// Interpret implements [json.MetaFactory].
func (leadingMeta) Interpret(data []byte) (*schema.GroupVersionKind, error) {
	first, value1, rest, ok1 := stringField(data, '{')
	second, value2, _, ok2 := stringField(rest, ',')
	if !ok1 || !ok2 {
		return json.DefaultMetaFactory.Interpret(data)
	}
	kind, version := value1, value2
	if first == "apiVersion" && second == "kind" {
		kind, version = value2, value1
	} else if first != "kind" || second != "apiVersion" {
		return json.DefaultMetaFactory.Interpret(data)
	}
	gv, err := schema.ParseGroupVersion(version)
	if err != nil {
		return nil, err
	}
	gvk := gv.WithKind(kind)
	return &gvk, nil
}

// stringField splits a field with a string as value, without escapes and spaces, from the
// beginning of data.
func stringField(data []byte, separator byte) (name, value string, rest []byte, ok bool) {
	if len(data) == 0 || data[0] != separator {
		return "", "", nil, false
	}
	key, data, ok1 := quoted(data[1:])
	data, ok2 := bytes.CutPrefix(data, []byte(":"))
	text, data, ok3 := quoted(data)
	return key, text, data, ok1 && ok2 && ok3
}

// quoted splits a string without escapes from the beginning of data.
func quoted(data []byte) (text string, rest []byte, ok bool) {
	if len(data) == 0 || data[0] != '"' {
		return "", nil, false
	}
	end := bytes.IndexByte(data[1:], '"')
	if end < 0 || bytes.IndexByte(data[1:1+end], '\\') >= 0 {
		return "", nil, false
	}
	return string(data[1 : 1+end]), data[2+end:], true
}
