package docker

import (
	"context"
	"io"
	"net/http"
	"time"
)

// shortRead is the size of a read after which nothing more has arrived: half of what the
// transport reads at once.
const shortRead = 2 << 10

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
		resp.Body = &pacedBody{ReadCloser: resp.Body, ctx: ctx, interval: interval}
	}
}

// pacedBody delays reads, so that each has more than one piece.
type pacedBody struct {
	io.ReadCloser
	// ctx ends the pauses.
	ctx      context.Context
	interval time.Duration
	// last is the time of the last read.
	last time.Time
	// isBusy is set while short reads follow each other.
	isBusy bool
}

// Read implements io.Reader.
func (b *pacedBody) Read(p []byte) (int, error) {
	if pause := time.Until(b.last.Add(b.interval)); b.isBusy && pause > 0 {
		select {
		case <-time.After(pause):
		case <-b.ctx.Done():
		}
	}
	n, err := b.ReadCloser.Read(p)
	now := time.Now()
	b.isBusy = n < shortRead && now.Sub(b.last) < 2*b.interval
	b.last = now
	return n, err
}
