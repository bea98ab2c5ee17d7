package streams

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// reasonTrailer has the reason of a log that ended before its container did. The last
// line of the log has it too, for clients that do not read trailers.
const reasonTrailer = "X-Rdd-Reason"

// errLimit ends a log at its limit of bytes.
var errLimit = errors.New("the limit of bytes is reached")

func (s *server) serveLog(w http.ResponseWriter, r *http.Request) error {
	q, err := parseLog(r.URL.Query(), time.Now())
	if err != nil {
		return err
	}
	e, err := s.open(r.Context())
	if err != nil {
		return err
	}
	ctx, stop := e.While(r.Context())
	defer stop()
	log, err := e.Log(ctx, s.info.Name, q.LogOptions)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	w.Header().Set("Content-Type", "text/plain")
	w.Header().Set("Cache-Control", "no-store")
	out := newFlushed(w, q.limit)
	out.flush() // a client waits for the header before it reads
	if err := log.CopyTo(out, out); err != nil && !errors.Is(err, errLimit) {
		out.fail("log", reason(r.Context(), err))
	}
	return nil
}

// reason says why a stream ended before its container did.
func reason(ctx context.Context, err error) string {
	if ctx.Err() != nil {
		return "rdd is stopping: retry when it runs again"
	}
	return err.Error()
}

// flushed sends each write at once, and at most a number of bytes.
type flushed struct {
	to      http.ResponseWriter
	control *http.ResponseController
	left    *int64
	// isLine is set after the end of a line.
	isLine bool
}

func newFlushed(w http.ResponseWriter, limit *int64) *flushed {
	return &flushed{to: w, control: http.NewResponseController(w), left: limit, isLine: true}
}

// Write implements io.Writer.
func (f *flushed) Write(p []byte) (int, error) {
	isCut := f.left != nil && int64(len(p)) >= *f.left
	if isCut {
		p = p[:*f.left]
	}
	n, err := f.to.Write(p)
	if err != nil {
		return n, err
	}
	f.flush()
	if n > 0 {
		f.isLine = p[n-1] == '\n'
	}
	if f.left != nil {
		*f.left -= int64(n)
	}
	if isCut {
		return n, errLimit
	}
	return n, nil
}

func (f *flushed) flush() { _ = f.control.Flush() } // the next write fails too

// fail ends a text with the reason why it ends.
func (f *flushed) fail(what, reason string) {
	f.left = nil
	begin := ""
	if !f.isLine {
		begin = "\n"
	}
	_, _ = io.WriteString(f, fmt.Sprintf("%srdd: the %s ends here: %s\n", begin, what, reason))
	f.to.Header().Set(http.TrailerPrefix+reasonTrailer, reason)
}
