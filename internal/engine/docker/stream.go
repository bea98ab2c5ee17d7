package docker

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"syscall"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
)

// openTimeout bounds each request that opens a stream.
const openTimeout = 30 * time.Second

// errStreamClosed ends the streams of an engine connection that rdd closed.
var errStreamClosed = errors.New("rdd closed the connection to the engine, because rdd or the engine is stopping")

type streamKey struct{}

// forStream returns a context whose request takes no connection from the others, and may
// last.
func forStream(ctx context.Context) context.Context {
	return context.WithValue(ctx, streamKey{}, true)
}

// newStreamTransport returns the transport of streams: their number has no limit, and
// their connections are not used again.
func newStreamTransport(base *http.Transport) *http.Transport {
	streams := base.Clone()
	streams.DialContext = withBlocking(base.DialContext)
	streams.MaxConnsPerHost, streams.DisableKeepAlives = 0, true
	streams.ResponseHeaderTimeout = openTimeout
	return streams
}

// stream is what an open stream holds. It ends with its context, and when the API is
// closed.
type stream struct {
	ctx  context.Context
	end  context.CancelCauseFunc
	stop func() bool
}

func (d *httpAPI) newStream(ctx context.Context) stream {
	ctx, end := context.WithCancelCause(ctx)
	return stream{ctx: ctx, end: end, stop: context.AfterFunc(d.open, func() { end(errClosed) })}
}

// Close implements engine.Output.
func (s stream) Close() error {
	s.stop()
	s.end(context.Canceled)
	return nil
}

// sinkError is the error of a stream's reader, and not one of the engine.
type sinkError struct{ error }

func (e sinkError) Unwrap() error { return e.error }

// sink marks the errors of a writer.
type sink struct{ io.Writer }

// Write implements io.Writer.
func (s sink) Write(p []byte) (int, error) {
	n, err := s.Writer.Write(p)
	if err != nil {
		return n, sinkError{err}
	}
	return n, nil
}

// failed returns the error of a stream: the cause of its end, or that of the engine.
func (s stream) failed(err error) error {
	reader, isReader := errors.AsType[sinkError](err)
	switch {
	case err == nil:
		return nil
	case isReader:
		return reader.error
	case errors.Is(context.Cause(s.ctx), errClosed):
		return classError{errStreamClosed, engine.ErrUnreachable}
	case s.ctx.Err() != nil:
		return context.Cause(s.ctx)
	}
	return classified(refused(err))
}

// output is an open stream of output.
type output struct {
	stream
	body io.ReadCloser
	// hasTerminal is set when the output is not multiplexed.
	hasTerminal bool
	// check is called at the end, and may be nil. An engine that ends can end its
	// streams like a container that ends.
	check func() error
}

// CopyTo implements engine.Output.
func (o *output) CopyTo(stdout, stderr io.Writer) error {
	var err error
	if o.hasTerminal {
		err = copyRaw(o.body, stdout)
	} else {
		err = demultiplex(o.body, stdout, stderr)
	}
	if err == nil && o.check != nil {
		err = o.check()
	}
	return o.failed(lost(err))
}

// lost names the loss of the connection in the error of a read. The stream can end before
// the watch has noticed the loss.
func lost(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) {
		return fmt.Errorf(engine.ConnectionLost+"%w", err)
	}
	return err
}

// Close implements engine.Output.
func (o *output) Close() error {
	_ = o.stream.Close()
	return o.body.Close()
}

// streamed is what a stream needs to know of a container.
type streamed struct {
	hasTerminal, isRunning bool
	// endsInput is set when the end of an attached client's input ends that of the
	// process.
	endsInput bool
}

func (d *httpAPI) inspectStreamed(ctx context.Context, cli *client.Client, id string) (streamed, error) {
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	ctx, body := withRawBody(ctx)
	if _, err := cli.ContainerInspect(ctx, id, client.ContainerInspectOptions{}); err != nil {
		return streamed{}, refused(err)
	}
	var wire struct {
		State  struct{ Running bool }
		Config struct{ Tty, StdinOnce bool }
	}
	if err := decode(body.Bytes(), &wire); err != nil {
		return streamed{}, err
	}
	return streamed{hasTerminal: wire.Config.Tty, isRunning: wire.State.Running, endsInput: wire.Config.StdinOnce}, nil
}

// running returns a conflict when a container does not run.
func (d *httpAPI) running(ctx context.Context, cli *client.Client, id string) (streamed, error) {
	found, err := d.inspectStreamed(ctx, cli, id)
	if err == nil && !found.isRunning {
		err = fmt.Errorf("container %s is not running: %w", id, errdefs.ErrConflict)
	}
	return found, err
}

// upgrade makes a request that turns its connection into one of raw bytes in both
// directions. Moby's client dials such connections itself, and not over TLS.
func (d *httpAPI) upgrade(ctx context.Context, cli *client.Client, path string, query url.Values, body any) (io.ReadWriteCloser, error) {
	// Without a body there must be no byte: it would be input of the process.
	var content []byte
	if body != nil {
		var err error
		if content, err = json.Marshal(body); err != nil {
			return nil, fmt.Errorf("encode the request %s: %w", path, err)
		}
	}
	target := d.endpoint.URL() + "/v" + cli.ClientVersion() + path + "?" + query.Encode()
	req, err := http.NewRequestWithContext(forStream(ctx), http.MethodPost, target, bytes.NewReader(content))
	if err != nil {
		return nil, fmt.Errorf("make the request %s: %w", path, err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Connection", "Upgrade")
	req.Header.Set("Upgrade", "tcp")
	resp, err := d.rawBody.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	conn, ok := resp.Body.(io.ReadWriteCloser)
	if resp.StatusCode != http.StatusSwitchingProtocols || !ok {
		defer func() { _ = resp.Body.Close() }()
		return nil, notUpgraded(resp)
	}
	return conn, nil
}

// notUpgraded returns the engine's words about a request that was refused, with the class
// of their status.
func notUpgraded(resp *http.Response) error {
	var wire struct{ Message string }
	content, _ := io.ReadAll(io.LimitReader(resp.Body, maxWords))
	if err := json.Unmarshal(content, &wire); err != nil || wire.Message == "" {
		wire.Message = fmt.Sprintf("the engine answered %s instead of switching protocols: %s", resp.Status, content)
	}
	class := map[int]error{
		http.StatusBadRequest: errdefs.ErrInvalidArgument, http.StatusNotFound: errdefs.ErrNotFound,
		http.StatusConflict: errdefs.ErrConflict, http.StatusNotImplemented: errdefs.ErrNotImplemented,
		http.StatusForbidden: errdefs.ErrPermissionDenied,
	}[resp.StatusCode]
	if class == nil {
		class = errdefs.ErrInternal
	}
	return &engineError{words: toValidUTF8(wire.Message), cause: class}
}
