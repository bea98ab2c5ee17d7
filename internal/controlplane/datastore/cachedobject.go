package datastore

import (
	"bytes"
	"io"
	"sync"

	"k8s.io/apimachinery/pkg/runtime"
)

// cachedObject is an object for the watches of clients. Each encoding of it is made
// once, for all clients that request this encoding.
type cachedObject struct {
	runtime.Object

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
func (s *cachedObject) CacheEncode(id runtime.Identifier, encode func(runtime.Object, io.Writer) error, w io.Writer) error {
	e := s.encoding(id)
	e.once.Do(func() {
		var text bytes.Buffer
		e.err = encode(s.GetObject(), &text)
		e.text = text.Bytes()
	})
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

func (s *cachedObject) encoding(id runtime.Identifier) *encoding {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	e := s.encodings[id]
	if e == nil {
		e = &encoding{}
		if s.encodings == nil {
			s.encodings = map[runtime.Identifier]*encoding{}
		}
		s.encodings[id] = e
	}
	return e
}

// GetObject implements [runtime.CacheableObject]. It returns a copy, because an
// encoder may set the object's kind.
func (s *cachedObject) GetObject() runtime.Object { return s.Object.DeepCopyObject() }
