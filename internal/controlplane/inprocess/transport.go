// Package inprocess lets Kubernetes clients talk to an HTTP handler in the same
// process: no socket, no TLS, no serialised headers, and a watch that ends as
// soon as its context does.
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

// ErrStopped is what a request gets once the server behind the transport has
// been stopped.
var ErrStopped = errors.New("the API server has been stopped")

// Transport is an [http.RoundTripper] that calls a handler. A watch runs in a
// goroutine of its own and streams; anything else runs in the caller's and is
// buffered, which saves a switch for each request.
type Transport struct {
	handler http.Handler
	// stopped ends the requests that are under way.
	stopped context.Context
	// streams counts the handlers that run in goroutines of their own.
	streams sync.WaitGroup
}

// New returns a transport to handler, whose requests end with stopped.
func New(handler http.Handler, stopped context.Context) *Transport {
	return &Transport{handler: handler, stopped: stopped}
}

// Wait returns when no streaming handler runs any more, or ctx ends. It is to be
// called after stopped has ended.
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

// isStream recognises a watch. Whatever else streams is served in one piece.
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
	// A client that stops reading and cancels must not leave the handler
	// blocked in a write.
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

// serve turns a handler's panic into an error; [http.ErrAbortHandler] is how a
// handler says that the connection is to be broken.
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
