package datastore

import (
	"bytes"
	"fmt"
	"io"
	"sync"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// cachedObject is an object for the watches of clients. Each encoding of it is made
// once, for all clients that request this encoding.
type cachedObject struct {
	*decoded

	// stored is the JSON that clients of its version receive, but for the revision; nil if
	// the object must be decoded.
	stored   []byte
	revision int64

	mutex     sync.Mutex
	encodings map[runtime.Identifier]*encoding
}

var _ runtime.CacheableObject = (*cachedObject)(nil)

type encoding struct {
	once sync.Once
	text []byte
	err  error
}

// CacheEncode implements [runtime.CacheableObject].
func (c *cachedObject) CacheEncode(id runtime.Identifier, encode func(runtime.Object, io.Writer) error, w io.Writer) error {
	e := c.encoding(id)
	e.once.Do(func() { e.text, e.err = c.encode(id, encode) })
	if e.err != nil {
		return e.err
	}
	if splice, ok := w.(runtime.Splice); ok {
		splice.Splice(e.text)
		return nil
	}
	_, err := w.Write(e.text)
	return err
}

func (c *cachedObject) encoding(id runtime.Identifier) *encoding {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	e := c.encodings[id]
	if e == nil {
		e = &encoding{}
		if c.encodings == nil {
			c.encodings = map[runtime.Identifier]*encoding{}
		}
		c.encodings[id] = e
	}
	return e
}

// encode encodes what is stored if the encoding is JSON of the same version. That avoids the
// decoder of custom resources, which costs more than everything else for an event.
func (c *cachedObject) encode(id runtime.Identifier, encode func(runtime.Object, io.Writer) error) ([]byte, error) {
	var text bytes.Buffer
	if version, isJSON := jsonVersion(id); isJSON {
		if raw, ok := withRevision(c.stored, version, c.revision); ok {
			err := encode(&runtime.Unknown{Raw: raw, ContentType: runtime.ContentTypeJSON}, &text)
			return text.Bytes(), err
		}
	}
	object, err := c.object()
	if err != nil {
		return nil, fmt.Errorf("encode an event: %w", err)
	}
	// A copy, because an encoder may set the object's kind.
	err = encode(object.DeepCopyObject(), &text)
	return text.Bytes(), err
}

// isServed reports whether clients of the object's version receive what is stored.
func (c *cachedObject) isServed() bool { return c != nil && c.stored != nil }

// GetObjectKind implements [runtime.Object].
func (c *cachedObject) GetObjectKind() schema.ObjectKind { return c.GetObject().GetObjectKind() }

// DeepCopyObject implements [runtime.Object].
func (c *cachedObject) DeepCopyObject() runtime.Object { return c.GetObject() }

// GetObject implements [runtime.CacheableObject]. It returns a copy.
func (c *cachedObject) GetObject() runtime.Object {
	object, err := c.object()
	if err != nil {
		return &runtime.Unknown{Raw: c.stored}
	}
	return object.DeepCopyObject()
}
