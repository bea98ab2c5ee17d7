package ui

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// maxWatches limits the watches of one socket.
const maxWatches = 64

// errStopped ends a watch that the page has stopped.
var errStopped = errors.New("the page has stopped the watch")

// watches are the watches of one socket. Its methods may be called concurrently.
type watches struct {
	// ctx ends all watches.
	ctx        context.Context
	api        func() http.Handler
	followTree func(ctx context.Context, emit func(event any) error) error
	out        *outbox
	logger     *slog.Logger

	running sync.WaitGroup
	mutex   sync.Mutex
	// stops has the function that stops each watch.
	stops map[int64]context.CancelCauseFunc
}

// handle carries out a command. An error means that the client is not the page.
func (w *watches) handle(text []byte) error {
	c, err := parseCommand(text)
	if err != nil {
		return err
	}
	w.mutex.Lock()
	defer w.mutex.Unlock()
	stop, exists := w.stops[c.ID]
	switch {
	case c.Stop && exists:
		stop(errStopped)
	case c.Stop: // the watch has just ended
	case exists:
		return fmt.Errorf("the id %d is in use", c.ID)
	case c.Path == probePath:
		w.ended(c.ID, statusOf(http.StatusOK, "Answered", "the daemon answers"))
	case len(w.stops) >= maxWatches:
		w.ended(c.ID, statusOf(http.StatusTooManyRequests, "TooManyRequests", fmt.Sprintf("a socket has at most %d watches", maxWatches)))
	default:
		w.begin(c)
	}
	return nil
}

// begin starts a watch. The mutex is held.
func (w *watches) begin(c command) {
	ctx, stop := context.WithCancelCause(w.ctx)
	w.stops[c.ID] = stop
	w.running.Go(func() {
		status := w.run(ctx, c)
		stop(nil)
		w.mutex.Lock()
		defer w.mutex.Unlock()
		delete(w.stops, c.ID)
		w.ended(c.ID, status)
	})
}

// run runs a watch, and returns why it has ended.
func (w *watches) run(ctx context.Context, c command) metav1.Status {
	status, err := w.follow(ctx, c)
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	switch {
	case errors.Is(err, errStopped):
		return statusOf(http.StatusOK, "Stopped", err.Error())
	case errors.Is(err, errSlow):
		return statusOf(http.StatusTooManyRequests, "Slow", err.Error())
	case err != nil:
		return statusOf(http.StatusServiceUnavailable, "ServiceUnavailable", err.Error())
	}
	return status
}

// follow sends the events of a watch until its end. A handler can panic; a watch has a
// goroutine of its own, so that the panic would end the daemon.
func (w *watches) follow(ctx context.Context, c command) (status metav1.Status, err error) {
	defer func() {
		if panicked := recover(); panicked != nil {
			status, err = w.panicked(c, panicked), nil
		}
	}()
	if c.Path == treePath {
		err := w.followTree(ctx, func(event any) error {
			text, err := json.Marshal(event)
			if err != nil {
				return err
			}
			return w.event(ctx, c.ID, text)
		})
		return statusOf(http.StatusOK, "Closed", "the daemon has closed the watch"), err
	}
	address, err := watchURL(c.Path)
	if err != nil {
		return statusOf(http.StatusBadRequest, "BadRequest", err.Error()), nil
	}
	api := w.api()
	if api == nil {
		return statusOf(http.StatusServiceUnavailable, "ServiceUnavailable", "the API server is starting: retry in a few seconds"), nil
	}
	request := (&http.Request{
		Method: http.MethodGet, URL: address, Host: loopback, RequestURI: address.RequestURI(), RemoteAddr: "page",
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Body: http.NoBody,
		Header: http.Header{"Accept": {"application/json"}, "User-Agent": {agent}},
	}).WithContext(ctx)
	if c.Accept != "" {
		request.Header.Set("Accept", c.Accept)
	}
	response := &eventWriter{header: http.Header{}, emit: func(event []byte) error { return w.event(ctx, c.ID, event) }}
	api.ServeHTTP(response, request)
	return response.end(), response.err
}

// panicked returns why a watch has ended whose handler has panicked. A handler panics with
// [http.ErrAbortHandler] to abort the response.
func (w *watches) panicked(c command, value any) metav1.Status {
	if abort, ok := value.(error); ok && errors.Is(abort, http.ErrAbortHandler) {
		return statusOf(http.StatusServiceUnavailable, "ServiceUnavailable", "the API server has aborted the watch: retry in a few seconds")
	}
	w.logger.Error("a watch of the page panicked", slog.String("path", c.Path), slog.Any("panic", value), slog.String("stack", string(debug.Stack())))
	return statusOf(http.StatusInternalServerError, "InternalError", fmt.Sprintf("the watch of %s panicked: %v", c.Path, value))
}

// event sends an event, which is JSON already.
func (w *watches) event(ctx context.Context, id int64, event []byte) error {
	message := fmt.Appendf(make([]byte, 0, len(event)+32), `{"id":%d,"event":`, id)
	message = append(message, event...)
	return w.out.send(ctx, append(message, '}'))
}

// ended sends the end of a watch. Its id is free afterwards.
func (w *watches) ended(id int64, status metav1.Status) {
	message, err := json.Marshal(map[string]any{"id": id, "ended": map[string]any{
		"code": status.Code, "reason": status.Reason, "message": status.Message,
	}})
	if err == nil {
		w.out.force(message)
	}
}
