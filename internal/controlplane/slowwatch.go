package controlplane

import (
	"bufio"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"sync"
	"time"

	"k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/apiserver/pkg/endpoints/responsewriter"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/controlplane/streams"
)

const (
	// writeLimit is how long a write to a watching client may take. After that the
	// watch is ended; the client resumes it at the last event that it received.
	writeLimit = 15 * time.Second
	// streamPatience is how many times longer a write to a client of a container's
	// stream may take: a person may read a page of it.
	streamPatience = 4
	// releaseAfter is the time from the end of the last watch until its memory is returned
	// to the system. Go alone would need minutes.
	releaseAfter = 2 * time.Second
)

// slowWatches ends the watches of clients that do not read. The handler of a watch only
// notices its end between two writes, so without slowWatches it would block as long as
// the connection is open.
type slowWatches struct {
	limit  time.Duration
	logger *slog.Logger

	mutex sync.Mutex
	ended int
	timer *time.Timer
}

// withWriteLimit returns handler with a time limit on each write of a watch, or of a
// stream of a container.
func (s *slowWatches) withWriteLimit(handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		info, found := request.RequestInfoFrom(r.Context())
		limit := s.limit
		switch {
		case found && streams.IsStream(info):
			limit *= streamPatience
		case !found || !info.IsResourceRequest || info.Verb != "watch":
			handler.ServeHTTP(w, r)
			return
		}
		limited := &deadlineWriter{ResponseWriter: w, control: http.NewResponseController(w), limit: limit, onTimeout: s.note}
		limited.timer = time.AfterFunc(limit, limited.end)
		limited.timer.Stop()
		defer limited.close()
		handler.ServeHTTP(responsewriter.WrapForHTTP1Or2(limited), r)
	})
}

// note counts an ended watch, and schedules the release of memory.
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
	s.logger.Info("ended watches and streams of clients that did not read", slog.Int("count", ended), slog.Duration("limit", s.limit))
	debug.FreeOSMemory()
}

// deadlineWriter ends a response when one write takes too long.
type deadlineWriter struct {
	http.ResponseWriter

	control   *http.ResponseController
	limit     time.Duration
	onTimeout func()
	timer     *time.Timer

	mutex  sync.Mutex
	closed bool
}

var _ responsewriter.UserProvidedDecorator = (*deadlineWriter)(nil)

// Write implements [http.ResponseWriter].
func (t *deadlineWriter) Write(p []byte) (int, error) {
	t.timer.Reset(t.limit)
	defer t.timer.Stop()
	return t.ResponseWriter.Write(p)
}

// Flush implements [http.Flusher].
func (t *deadlineWriter) Flush() {
	t.timer.Reset(t.limit)
	defer t.timer.Stop()
	_ = t.control.Flush() // the next write fails too
}

// Unwrap implements [responsewriter.UserProvidedDecorator].
func (t *deadlineWriter) Unwrap() http.ResponseWriter { return t.ResponseWriter }

// Hijack implements [http.Hijacker], for watches over WebSocket. Each write to the
// returned connection has the same limit.
func (t *deadlineWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffered, err := t.control.Hijack()
	if err != nil {
		return nil, nil, err
	}
	limited := &deadlineConn{Conn: conn, limit: t.limit, onTimeout: sync.OnceFunc(t.onTimeout)}
	return limited, bufio.NewReadWriter(buffered.Reader, bufio.NewWriter(limited)), nil
}

// end makes the current write fail.
func (t *deadlineWriter) end() {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	if t.closed {
		return
	}
	t.closed = true
	t.onTimeout()
	_ = t.control.SetWriteDeadline(time.Unix(1, 0)) // fails if the connection is closed
}

// close is called at the end of the handler. The connection may then serve another
// request.
func (t *deadlineWriter) close() {
	t.timer.Stop()
	t.mutex.Lock()
	defer t.mutex.Unlock()
	t.closed = true
}

// deadlineConn is a connection with a time limit on each write.
type deadlineConn struct {
	net.Conn

	limit     time.Duration
	onTimeout func()
}

// Write implements [net.Conn].
func (c *deadlineConn) Write(p []byte) (int, error) {
	_ = c.SetWriteDeadline(time.Now().Add(c.limit)) // fails if the connection is closed
	n, err := c.Conn.Write(p)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		c.onTimeout()
	}
	return n, err
}
