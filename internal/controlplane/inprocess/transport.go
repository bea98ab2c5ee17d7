// Package inprocess connects Kubernetes clients to an HTTP handler in the same process,
// without a socket, TLS or serialized headers. A watch ends as soon as its context does.
package inprocess

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
)

// ErrStopped is the error of requests after the server of the transport was stopped.
var ErrStopped = errors.New("the API server has been stopped")

// Transport is an [http.RoundTripper] that calls a handler. A watch is streamed by a
// goroutine of its own. Any other request runs in the caller's goroutine with a buffered
// response, which saves a goroutine switch.
type Transport struct {
	handler http.Handler
	// stopped ends running requests.
	stopped context.Context
	// streams counts the handlers in goroutines of their own.
	streams sync.WaitGroup
}

// New returns a transport that calls handler. Its requests end when stopped ends.
func New(handler http.Handler, stopped context.Context) *Transport {
	return &Transport{handler: handler, stopped: stopped}
}

// Wait returns when the last streaming handler has ended, or with an error when ctx
// ends. It must be called after stopped has ended.
func (t *Transport) Wait(ctx context.Context) error {
	idle := make(chan struct{})
	go func() {
		t.streams.Wait()
		close(idle)
	}()
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for in-process watches to end: %w", ctx.Err())
	}
}

// RoundTrip implements [http.RoundTripper].
func (t *Transport) RoundTrip(request *http.Request) (*http.Response, error) {
	if t.stopped.Err() != nil {
		closeBody(request)
		return nil, ErrStopped
	}
	ctx, cancel := context.WithCancel(request.Context())
	unlink := context.AfterFunc(t.stopped, cancel)
	end := func() {
		unlink()
		cancel()
	}
	inbound := request.Clone(ctx)
	inbound.RequestURI = request.URL.RequestURI()
	inbound.RemoteAddr = "in-process"
	inbound.Proto, inbound.ProtoMajor, inbound.ProtoMinor = "HTTP/2.0", 2, 0
	if inbound.Body == nil {
		inbound.Body = http.NoBody
	}
	if isStream(request) {
		return t.stream(inbound, end)
	}
	defer end()
	defer closeBody(request)
	return t.buffered(inbound)
}

// isStream reports whether a request is a watch. Other streams are buffered.
func isStream(request *http.Request) bool {
	if request.Method != http.MethodGet {
		return false
	}
	watch := request.URL.Query().Get("watch")
	return watch == "1" || strings.EqualFold(watch, "true")
}

func (t *Transport) buffered(request *http.Request) (_ *http.Response, err error) {
	writer := &bufferedWriter{header: http.Header{}}
	if err := t.serve(writer, request); err != nil {
		return nil, err
	}
	if err := request.Context().Err(); err != nil && writer.status == 0 {
		return nil, err
	}
	return writer.response(request), nil
}

func (t *Transport) stream(request *http.Request, end func()) (*http.Response, error) {
	writer := newStreamWriter()
	// When a client stops reading and cancels, the handler must not stay blocked in a
	// write.
	context.AfterFunc(request.Context(), func() { writer.writer.CloseWithError(io.EOF) })
	t.streams.Go(func() {
		defer end()
		writer.finish(t.serve(writer, request))
	})
	select {
	case <-writer.started:
		return writer.response(request, end), nil
	case <-request.Context().Done():
		return nil, request.Context().Err()
	}
}

// serve calls the handler and returns its panic as an error. A handler panics with
// [http.ErrAbortHandler] to abort the response.
func (t *Transport) serve(writer http.ResponseWriter, request *http.Request) (err error) {
	defer func() {
		if panicked := recover(); panicked != nil {
			if abort, ok := panicked.(error); ok && errors.Is(abort, http.ErrAbortHandler) {
				err = io.ErrUnexpectedEOF
				return
			}
			err = fmt.Errorf("the handler of %s %s panicked: %v", request.Method, request.URL.Path, panicked)
		}
	}()
	t.handler.ServeHTTP(writer, request)
	return nil
}

func closeBody(request *http.Request) {
	if request.Body != nil {
		request.Body.Close()
	}
}
