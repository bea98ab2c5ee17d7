package datastore

import (
	"bytes"
	"io"
	"sync"

	"k8s.io/apimachinery/pkg/runtime"
)

// served is an object for the watches of clients. Each encoding of it is made once,
// for all clients that want the same one.
type served struct {
	runtime.Object

	mutex     sync.Mutex
	encodings map[runtime.Identifier]*encoding
}

var _ runtime.CacheableObject = (*served)(nil)

type encoding struct {
	once sync.Once
	text []byte
	err  error
}

// CacheEncode implements [runtime.CacheableObject].
func (s *served) CacheEncode(id runtime.Identifier, encode func(runtime.Object, io.Writer) error, w io.Writer) error {
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

func (s *served) encoding(id runtime.Identifier) *encoding {
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

// GetObject implements [runtime.CacheableObject]. It returns a copy: an encoder may
// set the object's kind while it works.
func (s *served) GetObject() runtime.Object { return s.Object.DeepCopyObject() }
