package home

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// AwayError is the error of requests while the hub is away. No request is sent.
type AwayError struct {
	// Cause is the error of the request that found the hub away.
	Cause error
}

func (e *AwayError) Error() string { return "the hub is away: " + e.Cause.Error() }

// Unwrap returns the cause.
func (e *AwayError) Unwrap() error { return e.Cause }

// UnauthorizedError is the cause of an AwayError if the hub does not accept the
// credentials.
type UnauthorizedError struct{ Message string }

func (e *UnauthorizedError) Error() string { return e.Message }

// gate is a transport that sends no request after the first one that found the hub away,
// until open is called. Only a probe passes a closed gate. So it does not depend on the
// number of callers how often a hub that is away is dialed.
type gate struct {
	next http.RoundTripper
	// closed is called, outside of the lock, when the gate closes.
	closed func(cause error)
	// leases is the path of the Lease, without its name.
	leases string

	mu    sync.Mutex
	cause error // nil while the gate is open
}

type probeKey struct{}

// asProbe returns a context whose requests pass a closed gate.
func asProbe(ctx context.Context) context.Context { return context.WithValue(ctx, probeKey{}, true) }

// open lets requests pass again.
func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.cause = nil
}

// close stops further requests.
func (g *gate) close(cause error) {
	g.mu.Lock()
	isFirst := g.cause == nil
	if isFirst {
		g.cause = cause
	}
	g.mu.Unlock()
	if isFirst {
		g.closed(cause)
	}
}

func (g *gate) why() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.cause
}

// RoundTrip implements http.RoundTripper.
func (g *gate) RoundTrip(r *http.Request) (*http.Response, error) {
	if deadline, ok := r.Context().Deadline(); ok && !time.Now().Before(deadline) {
		closeBody(r)
		return nil, context.DeadlineExceeded // which shows nothing of the hub
	}
	isProbe := r.Context().Value(probeKey{}) != nil
	if cause := g.why(); cause != nil && !isProbe {
		closeBody(r)
		return nil, &AwayError{Cause: cause}
	}
	response, err := g.next.RoundTrip(r)
	if cause := g.awayCause(r, response, err); cause != nil && !isProbe {
		g.close(cause)
		if err != nil {
			return nil, &AwayError{Cause: cause}
		}
	}
	if err == nil && r.URL.Query().Get("watch") != "" {
		response.Body = &watchBody{ReadCloser: response.Body, ctx: r.Context(), lost: g.close}
	}
	return response, err
}

// unauthorized is the message of an UnauthorizedError.
const unauthorized = "the hub does not accept the credentials of this machine: they have expired or were revoked: " +
	"get a new join file from an administrator ('rdd hub add'), and run 'rdd join' with it"

// explained adds to an error what a user cannot see in it.
func explained(err error) error {
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); ok && invalid.Reason == x509.Expired {
		return fmt.Errorf("%w: the clock of this machine shows %s: if that is wrong, set it", err, time.Now().Format(time.DateTime))
	}
	return err
}

// closeBody closes the body of a request that is not sent, as a transport must.
func closeBody(r *http.Request) {
	if r.Body != nil {
		_ = r.Body.Close()
	}
}

// awayCause returns why the outcome of a request shows that the hub is away, or nil. Of the
// deadlines only that of the Lease does: a hub that is busy lets writes wait.
func (g *gate) awayCause(r *http.Request, response *http.Response, err error) error {
	switch {
	case err != nil && errors.Is(context.Cause(r.Context()), context.Canceled):
		return nil // its caller no longer needs it
	case errors.Is(err, errFenced):
		return nil // the renewal of the Lease says more
	case errors.Is(err, context.DeadlineExceeded) && !strings.HasPrefix(r.URL.Path, g.leases):
		return nil
	case err != nil:
		return explained(err)
	case response.StatusCode == http.StatusUnauthorized:
		return &UnauthorizedError{unauthorized}
	case response.StatusCode == http.StatusServiceUnavailable, response.StatusCode == http.StatusBadGateway, response.StatusCode == http.StatusGatewayTimeout:
		return fmt.Errorf("the hub answers %s", response.Status)
	default:
		return nil
	}
}

// watchBody closes the gate if the connection of a watch is lost. Informers would try to
// connect again, each with pauses of its own.
type watchBody struct {
	io.ReadCloser

	ctx  context.Context //nolint:containedctx // of the request that the body belongs to
	lost func(error)
	// isClosed is set when the informer ends the watch itself, such as after an update of the
	// definition.
	isClosed atomic.Bool
}

// Close implements io.Closer.
func (b *watchBody) Close() error {
	b.isClosed.Store(true)
	return b.ReadCloser.Close()
}

// Read implements io.Reader.
func (b *watchBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && !errors.Is(err, io.EOF) && b.ctx.Err() == nil && !b.isClosed.Load() {
		b.lost(fmt.Errorf("the connection to the hub was lost: %w", err))
	}
	return n, err
}
