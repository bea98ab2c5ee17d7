package ui

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// maxFailure limits what is kept of a response that is no watch.
const maxFailure = 64 << 10

// eventWriter is the response of a watch. It calls emit with each event, which is a line of
// JSON, and keeps a failure.
type eventWriter struct {
	// emit takes an event, and returns an error to end the watch.
	emit func(event []byte) error

	header http.Header
	code   int
	// line is the beginning of an event, or of the failure.
	line bytes.Buffer
	// failure is what the API server has sent as the last event.
	failure *metav1.Status
	// err is the error of emit.
	err error
}

// Header implements [http.ResponseWriter].
func (w *eventWriter) Header() http.Header { return w.header }

// WriteHeader implements [http.ResponseWriter].
func (w *eventWriter) WriteHeader(code int) {
	if w.code == 0 {
		w.code = code
	}
}

// Flush implements [http.Flusher], which the handlers of watches need.
func (w *eventWriter) Flush() { w.WriteHeader(http.StatusOK) }

// CloseNotify implements [http.CloseNotifier]. The handlers of watches require the interface,
// but wait for the end of the request's context.
func (w *eventWriter) CloseNotify() <-chan bool { return nil }

// Write implements [http.ResponseWriter].
func (w *eventWriter) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	if w.code != http.StatusOK {
		w.line.Write(p[:min(len(p), maxFailure-w.line.Len())])
		return len(p), nil
	}
	for rest := p; len(rest) > 0; {
		end := bytes.IndexByte(rest, '\n')
		if end < 0 {
			w.line.Write(rest)
			break
		}
		if err := w.event(rest[:end]); err != nil {
			return 0, err
		}
		rest = rest[end+1:]
	}
	return len(p), nil
}

// event emits the event that ends with rest.
func (w *eventWriter) event(rest []byte) error {
	event := rest
	if w.line.Len() > 0 {
		w.line.Write(rest)
		event = w.line.Bytes()
		defer w.line.Reset()
	}
	switch {
	case w.err != nil:
		return w.err
	case len(event) == 0:
		return nil
	case bytes.HasPrefix(event, []byte(`{"type":"ERROR"`)):
		var last struct {
			Object metav1.Status `json:"object"`
		}
		if json.Unmarshal(event, &last) == nil {
			w.failure = &last.Object
			return nil
		}
	}
	w.err = w.emit(event)
	return w.err
}

// end returns why the watch has ended.
func (w *eventWriter) end() metav1.Status {
	switch {
	case w.failure != nil:
		return *w.failure
	case w.code == http.StatusOK:
		return statusOf(http.StatusOK, "Closed", "the API server has closed the watch: continue at the last resource version")
	case w.code == 0:
		return statusOf(http.StatusServiceUnavailable, "ServiceUnavailable", "the API server has not answered: retry in a few seconds")
	}
	var status metav1.Status
	if json.Unmarshal(w.line.Bytes(), &status) == nil && status.Kind == "Status" {
		return status
	}
	return statusOf(w.code, strings.ReplaceAll(http.StatusText(w.code), " ", ""), strings.TrimSpace(w.line.String()))
}
