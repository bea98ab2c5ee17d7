package docker

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
)

// rawBodyTransport is the transport below moby's client. For some requests it keeps the body of the
// answer, which this package decodes, and gives the client the JSON value null.
//
// The reason is isolation: moby's types parse addresses, ports and times while they
// decode, and one invalid value in one container fails the whole list. Engines have
// printed "invalid IP" there. The fields that rdd mirrors are not parsed. This also saves
// the time to decode other fields.
type rawBodyTransport struct {
	base http.RoundTripper
	// unlimited is for requests that hold their connection for long.
	unlimited http.RoundTripper
	// streams is for requests whose answer lasts; see newStreamTransport.
	streams http.RoundTripper
	closed  atomic.Bool
}

// errClosed is the error of calls after Close.
var errClosed = errors.New("the connection to the engine was closed by rdd")

type rawBodyKey struct{}

// withRawBody returns a context whose request fills the buffer.
func withRawBody(ctx context.Context) (context.Context, *bytes.Buffer) {
	body := &bytes.Buffer{}
	return context.WithValue(ctx, rawBodyKey{}, body), body
}

type unlimitedKey struct{}

// withoutLimit returns a context whose request takes no connection from the others.
func withoutLimit(ctx context.Context) context.Context {
	return context.WithValue(ctx, unlimitedKey{}, true)
}

// RoundTrip implements http.RoundTripper.
func (t *rawBodyTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	if t.closed.Load() {
		return nil, errClosed
	}
	transport := t.base
	if req.Context().Value(unlimitedKey{}) != nil {
		transport = t.unlimited
	}
	if req.Context().Value(streamKey{}) != nil {
		transport = t.streams
	}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	pace(req.Context(), resp)
	body, wanted := req.Context().Value(rawBodyKey{}).(*bytes.Buffer)
	if !wanted || resp.StatusCode != http.StatusOK {
		return resp, nil
	}
	body.Reset()
	_, err = body.ReadFrom(resp.Body)
	_ = resp.Body.Close()
	if err != nil {
		return nil, err
	}
	const null = "null"
	resp.Body = io.NopCloser(strings.NewReader(null))
	resp.ContentLength = int64(len(null))
	return resp, nil
}
