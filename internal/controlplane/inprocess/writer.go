package inprocess

import (
	"bytes"
	"io"
	"net/http"
	"sync"
)

// bufferedWriter buffers a whole response.
type bufferedWriter struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header implements [http.ResponseWriter].
func (w *bufferedWriter) Header() http.Header { return w.header }

// WriteHeader implements [http.ResponseWriter].
func (w *bufferedWriter) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
}

// Write implements [http.ResponseWriter].
func (w *bufferedWriter) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(p)
}

// Flush implements [http.Flusher], which Kubernetes' handlers require.
func (w *bufferedWriter) Flush() { w.WriteHeader(http.StatusOK) }

func (w *bufferedWriter) response(request *http.Request) *http.Response {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return response(request, w.status, w.header, io.NopCloser(&w.body), int64(w.body.Len()))
}

// streamWriter passes each write of a handler on to the client.
type streamWriter struct {
	header  http.Header
	reader  *io.PipeReader
	writer  *io.PipeWriter
	once    sync.Once
	started chan struct{}
	// status and sent are set before started is closed.
	status int
	sent   http.Header
}

func newStreamWriter() *streamWriter {
	reader, writer := io.Pipe()
	return &streamWriter{header: http.Header{}, reader: reader, writer: writer, started: make(chan struct{})}
}

// CloseNotify implements [http.CloseNotifier]. Kubernetes' handlers only stream to
// writers with this method, but use the request's context to notice the end.
func (w *streamWriter) CloseNotify() <-chan bool { return nil }

// Header implements [http.ResponseWriter].
func (w *streamWriter) Header() http.Header { return w.header }

// WriteHeader implements [http.ResponseWriter].
func (w *streamWriter) WriteHeader(status int) {
	w.once.Do(func() {
		w.status = status
		w.sent = w.header.Clone()
		close(w.started)
	})
}

// Write implements [http.ResponseWriter].
func (w *streamWriter) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.writer.Write(p)
}

// Flush implements [http.Flusher]. Nothing is buffered.
func (w *streamWriter) Flush() { w.WriteHeader(http.StatusOK) }

// finish ends the body with err, or with end-of-file for nil.
func (w *streamWriter) finish(err error) {
	w.WriteHeader(http.StatusOK)
	w.writer.CloseWithError(err)
}

func (w *streamWriter) response(request *http.Request, end func()) *http.Response {
	return response(request, w.status, w.sent, &streamBody{PipeReader: w.reader, end: end}, -1)
}

// streamBody is the response's body. Closing it ends the handler.
type streamBody struct {
	*io.PipeReader
	end func()
}

// Close implements [io.Closer].
func (b *streamBody) Close() error {
	b.end()
	return b.PipeReader.Close()
}

func response(request *http.Request, status int, header http.Header, body io.ReadCloser, length int64) *http.Response {
	return &http.Response{
		Status:        http.StatusText(status),
		StatusCode:    status,
		Proto:         request.Proto,
		ProtoMajor:    request.ProtoMajor,
		ProtoMinor:    request.ProtoMinor,
		Header:        header,
		Body:          body,
		ContentLength: length,
		Request:       request,
	}
}
