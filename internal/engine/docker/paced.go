package docker

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"time"
)

const (
	// transportBuffer is what the transport reads at once.
	transportBuffer = 4 << 10
	// shortRead is the size of a read that is taken for the last one of what has arrived.
	shortRead = transportBuffer / 2
)

type pacedKey struct{}

// paced returns a context whose request has an answer of many pieces, which is read at
// most once per interval while one piece follows another. The engine sends each line of
// a log and each event by itself, and each would wake up the daemon and its client. The
// first pieces after a pause are read at once.
func paced(ctx context.Context, interval time.Duration) context.Context {
	return context.WithValue(ctx, pacedKey{}, interval)
}

// pace paces the body of the answer to a request, if its context says so.
func pace(ctx context.Context, resp *http.Response) {
	if interval, ok := ctx.Value(pacedKey{}).(time.Duration); ok && resp.StatusCode == http.StatusOK {
		body := &pacedReader{in: resp.Body, ctx: ctx, interval: interval}
		// A decoder of JSON reads few bytes at once.
		resp.Body = readCloser{Reader: bufio.NewReaderSize(body, transportBuffer), Closer: resp.Body}
	}
}

// readCloser is a body with another reader.
type readCloser struct {
	io.Reader
	io.Closer
}

// pacedReader delays reads, so that each has more than one piece.
type pacedReader struct {
	in io.Reader
	// ctx ends the pauses.
	ctx      context.Context
	interval time.Duration
	// last is the time of the last read.
	last time.Time
	// shortReads counts the short reads in a row that followed each other quickly.
	shortReads int
}

// Read implements io.Reader. It pauses after two short reads: the first one can be the
// rest of a buffer of the transport while more has arrived.
func (r *pacedReader) Read(p []byte) (int, error) {
	if pause := time.Until(r.last.Add(r.interval)); r.shortReads > 1 && pause > 0 {
		select {
		case <-time.After(pause):
		case <-r.ctx.Done():
		}
	}
	n, err := r.in.Read(p)
	now := time.Now()
	if n < shortRead && now.Sub(r.last) < 2*r.interval {
		r.shortReads++
	} else {
		r.shortReads = 0
	}
	r.last = now
	return n, err
}
