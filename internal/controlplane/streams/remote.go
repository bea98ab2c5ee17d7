package streams

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/remotecommand"
	"k8s.io/streaming/pkg/httpstream/wsstream"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
)

// protocols are the supported subprotocols of WebSocket. The first one has a signal that
// ends the standard input.
func protocols() []string {
	return []string{remotecommand.StreamProtocolV5Name, remotecommand.StreamProtocolV4Name}
}

// errClientLeft ends a stream whose client has closed the connection.
var errClientLeft = errors.New("the client has left")

func (s *server) serveRemote(w http.ResponseWriter, r *http.Request) error {
	q, err := parseRemote(r.URL.Query(), s.info.Subresource)
	if err != nil {
		return err
	}
	if err := checkUpgrade(w, r); err != nil {
		return err
	}
	e, err := s.open(r.Context())
	if err != nil {
		return err
	}
	connected, stop := e.While(r.Context())
	defer stop()
	ctx, end := context.WithCancelCause(connected)
	defer end(nil)
	terminal, err := s.connect(ctx, e, q)
	if err != nil {
		return err
	}
	defer func() { _ = terminal.Close() }()
	conn := wsstream.NewConn(channelProtocols(q))
	left := func() { end(errClientLeft) }
	_, channels, err := conn.Open(&watchedWriter{ResponseWriter: w, onClose: left}, r)
	if err != nil {
		return nil //nolint:nilerr // Open has answered
	}
	defer func() { _ = conn.Close() }()
	if q.stdin {
		go feed(terminal, channels[remotecommand.StreamStdIn], clientCheck(q, channels, left))
	}
	s.relay(ctx, r.Context(), terminal, channels)
	return nil
}

func (s *server) connect(ctx context.Context, e engine.Engine, q remoteQuery) (engine.Terminal, error) {
	if s.info.Subresource == attach {
		return e.Attach(ctx, s.info.Name, engine.AttachOptions{Stdin: q.stdin, Stdout: q.stdout, Stderr: q.stderr})
	}
	return e.Exec(ctx, s.info.Name, engine.ExecOptions{
		Command: q.command, Stdin: q.stdin, Stdout: q.stdout, Stderr: q.stderr, TTY: q.tty,
	})
}

// checkUpgrade refuses a request whose connection cannot become a stream, before the
// engine starts anything.
func checkUpgrade(w http.ResponseWriter, r *http.Request) error {
	if !wsstream.IsWebSocketRequest(r) {
		return newStatus(http.StatusUpgradeRequired, metav1.StatusReasonBadRequest,
			"exec and attach need a WebSocket connection with the subprotocol "+protocols()[0]+": use 'rdd exec', or a client that supports it")
	}
	for requested := range strings.SplitSeq(r.Header.Get(wsstream.WebSocketProtocolHeader), ",") {
		if slices.Contains(protocols(), strings.TrimSpace(requested)) {
			if _, ok := w.(http.Hijacker); !ok {
				return newStatus(http.StatusBadRequest, metav1.StatusReasonBadRequest,
					"WebSocket connections need HTTP/1.1 over the network: this request has "+r.Proto)
			}
			return nil
		}
	}
	return newStatus(http.StatusBadRequest, metav1.StatusReasonBadRequest,
		fmt.Sprintf("the WebSocket subprotocol %q is not supported: use %s", r.Header.Get(wsstream.WebSocketProtocolHeader), strings.Join(protocols(), " or ")))
}

func channelProtocols(q remoteQuery) map[string]wsstream.ChannelProtocolConfig {
	channels := make([]wsstream.ChannelType, remotecommand.StreamResize+1)
	for number, kind := range map[int]struct {
		isUsed bool
		wsstream.ChannelType
	}{
		remotecommand.StreamStdIn:  {q.stdin, wsstream.ReadChannel},
		remotecommand.StreamStdOut: {q.stdout, wsstream.WriteChannel},
		remotecommand.StreamStdErr: {q.stderr, wsstream.WriteChannel},
		remotecommand.StreamErr:    {true, wsstream.WriteChannel},
		remotecommand.StreamResize: {true, wsstream.ReadChannel},
	} {
		if kind.isUsed {
			channels[number] = kind.ChannelType
		}
	}
	out := map[string]wsstream.ChannelProtocolConfig{}
	for _, name := range protocols() {
		out[name] = wsstream.ChannelProtocolConfig{Binary: true, Channels: channels}
	}
	return out
}

// relay connects the channels of a client with a process until the process has ended,
// and sends its exit code.
func (s *server) relay(ctx, serving context.Context, terminal engine.Terminal, channels []io.ReadWriteCloser) {
	stdout, stderr := channels[remotecommand.StreamStdOut], channels[remotecommand.StreamStdErr]
	if _, err := stdout.Write(nil); err != nil { // shows the client that the streams are open
		return
	}
	go resize(ctx, terminal, channels[remotecommand.StreamResize])
	err := terminal.CopyTo(stdout, stderr)
	code := 0
	if err == nil {
		code, err = terminal.Wait(ctx)
	}
	status := exited(code)
	switch {
	case errors.Is(err, errClientLeft):
		return
	case err != nil && serving.Err() != nil:
		status = unavailableStatus(reason(serving, err))
	case err != nil:
		status = statusOf(s.doing(), err).Status()
	}
	if content, err := json.Marshal(status); err == nil {
		_, _ = channels[remotecommand.StreamErr].Write(content) // the client may have left
	}
}

func unavailableStatus(message string) metav1.Status {
	return newStatus(http.StatusServiceUnavailable, metav1.StatusReasonServiceUnavailable, message).Status()
}

// resize applies a client's sizes of its terminal.
func resize(ctx context.Context, terminal engine.Terminal, sizes io.Reader) {
	decoder := json.NewDecoder(sizes)
	for {
		var size engine.TerminalSize
		if err := decoder.Decode(&size); err != nil {
			break
		}
		if size.Width > 0 && size.Height > 0 {
			_ = terminal.Resize(ctx, size) // the process may have ended, or have no terminal
		}
	}
	_, _ = io.Copy(io.Discard, sizes)
}

// watchedWriter calls onClose when its hijacked connection is closed.
type watchedWriter struct {
	http.ResponseWriter
	onClose func()
}

// Hijack implements http.Hijacker.
func (w *watchedWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffered, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	watched := &watchedConn{Conn: conn, onClose: sync.OnceFunc(w.onClose)}
	return watched, bufio.NewReadWriter(buffered.Reader, bufio.NewWriterSize(watched, 32<<10)), nil
}

type watchedConn struct {
	net.Conn
	onClose func()
}

// Close implements net.Conn.
func (c *watchedConn) Close() error {
	c.onClose()
	return c.Conn.Close()
}
