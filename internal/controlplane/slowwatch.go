package controlplane

import (
	"log/slog"
	"net/http"
	"runtime/debug"
	"sync"
	"time"

	"k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/apiserver/pkg/endpoints/responsewriter"
)

const (
	// writeLimit is how long a write to a client may take that watches and does not
	// read. Its watch is then ended: the client starts it again where it ended.
	writeLimit = 15 * time.Second
	// releaseAfter is how long after the last such end the memory goes back to the
	// system, which Go would do within minutes.
	releaseAfter = 2 * time.Second
)

// slowWatches ends the watches of clients that do not read. The handler of a watch
// looks for its end only between two writes, so without this it would wait for as
// long as the connection is open.
type slowWatches struct {
	limit  time.Duration
	logger *slog.Logger

	mutex sync.Mutex
	ended int
	timer *time.Timer
}

// bounded returns handler with a limit on each write of a watch.
func (s *slowWatches) bounded(handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		info, found := request.RequestInfoFrom(r.Context())
		if !found || !info.IsResourceRequest || info.Verb != "watch" || r.Header.Get("Upgrade") != "" {
			handler.ServeHTTP(w, r)
			return
		}
		timely := &timelyWriter{ResponseWriter: w, control: http.NewResponseController(w), limit: s.limit, late: s.note}
		timely.timer = time.AfterFunc(s.limit, timely.end)
		timely.timer.Stop()
		defer timely.close()
		handler.ServeHTTP(responsewriter.WrapForHTTP1Or2(timely), r)
	})
}

// note counts an end, and gives memory back once no more come.
func (s *slowWatches) note() {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.ended++
	if s.timer != nil {
		s.timer.Reset(releaseAfter)
		return
	}
	s.timer = time.AfterFunc(releaseAfter, s.release)
}

func (s *slowWatches) release() {
	s.mutex.Lock()
	ended := s.ended
	s.ended = 0
	s.mutex.Unlock()
	s.logger.Info("ended watches of clients that did not read", slog.Int("count", ended), slog.Duration("limit", s.limit))
	debug.FreeOSMemory()
}

// timelyWriter ends a response when one write takes too long.
type timelyWriter struct {
	http.ResponseWriter

	control *http.ResponseController
	limit   time.Duration
	late    func()
	timer   *time.Timer

	mutex  sync.Mutex
	closed bool
}

var _ responsewriter.UserProvidedDecorator = (*timelyWriter)(nil)

// Write implements [http.ResponseWriter].
func (t *timelyWriter) Write(p []byte) (int, error) {
	t.timer.Reset(t.limit)
	defer t.timer.Stop()
	return t.ResponseWriter.Write(p)
}

// Flush implements [http.Flusher].
func (t *timelyWriter) Flush() {
	t.timer.Reset(t.limit)
	defer t.timer.Stop()
	_ = t.control.Flush() // the next write fails too
}

// Unwrap implements [responsewriter.UserProvidedDecorator].
func (t *timelyWriter) Unwrap() http.ResponseWriter { return t.ResponseWriter }

// end makes the write that takes too long fail.
func (t *timelyWriter) end() {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	if t.closed {
		return
	}
	t.closed = true
	t.late()
	_ = t.control.SetWriteDeadline(time.Unix(1, 0)) // of a connection that is gone
}

// close is called when the handler is through: the connection may serve another
// request then.
func (t *timelyWriter) close() {
	t.timer.Stop()
	t.mutex.Lock()
	defer t.mutex.Unlock()
	t.closed = true
}
