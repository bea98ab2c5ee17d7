package streams

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/util/remotecommand"
	"k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/klog/v2"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
)

// remoteDeadline is how long a stream may take to end after its client has left.
const remoteDeadline = 30 * time.Second

// recordingEngine has one process, which records its input and its sizes, and runs until the
// client leaves.
type recordingEngine struct {
	engine.Engine
	ctx    context.Context //nolint:containedctx // it is the lifetime of the process
	closed chan struct{}

	mutex sync.Mutex
	input bytes.Buffer
	sizes []engine.TerminalSize
}

// Exec implements engine.Engine.
func (e *recordingEngine) Exec(ctx context.Context, _ string, _ engine.ExecOptions) (engine.Terminal, error) {
	e.ctx = ctx
	return e, nil
}

// CopyTo implements engine.Terminal.
func (e *recordingEngine) CopyTo(_, _ io.Writer) error {
	<-e.ctx.Done()
	return context.Cause(e.ctx)
}

// Write implements engine.Terminal.
func (e *recordingEngine) Write(p []byte) (int, error) {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	return e.input.Write(p)
}

// CloseWrite implements engine.Terminal.
func (e *recordingEngine) CloseWrite() error {
	close(e.closed)
	return nil
}

// Resize implements engine.Terminal.
func (e *recordingEngine) Resize(_ context.Context, size engine.TerminalSize) error {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	e.sizes = append(e.sizes, size)
	return nil
}

// Wait implements engine.Terminal.
func (*recordingEngine) Wait(context.Context) (int, error) { return 0, nil }

// Close implements engine.Terminal.
func (*recordingEngine) Close() error { return nil }

// pipes is a listener whose connections need no socket.
type pipes chan net.Conn

// Accept implements net.Listener.
func (p pipes) Accept() (net.Conn, error) {
	conn, ok := <-p
	if !ok {
		return nil, net.ErrClosed
	}
	return conn, nil
}

// Close implements net.Listener.
func (pipes) Close() error { return nil }

// Addr implements net.Listener.
func (pipes) Addr() net.Addr { return &net.UnixAddr{} }

// remoteCase is what a client sends.
type remoteCase struct {
	protocol       string
	stdin, isText  bool
	messages, tail [][]byte // those of tail are not framed
}

func newRemoteCase(flags byte, data []byte) remoteCase {
	c := remoteCase{protocol: protocols()[flags&1], stdin: flags&2 == 0, isText: flags&4 != 0}
	c.messages = bytes.Split(data, []byte{0x1e})
	if flags&8 != 0 {
		last := len(c.messages) - 1
		c.messages, c.tail = c.messages[:last], c.messages[last:]
	}
	return c
}

// input is what the process receives of the messages.
func (c remoteCase) input() (input []byte) {
	const closeSignal = 255
	open := c.stdin
	for _, m := range c.messages {
		switch {
		case len(m) == 0:
		case m[0] == closeSignal && c.protocol == remotecommand.StreamProtocolV5Name:
			if len(m) != 2 || m[1] > remotecommand.StreamResize {
				return input
			}
			open = open && m[1] != remotecommand.StreamStdIn
		case m[0] == remotecommand.StreamStdIn && open:
			input = append(input, m[1:]...)
		}
	}
	return input
}

// frame returns a message as a WebSocket frame, with a mask of zeros.
func (c remoteCase) frame(message []byte) []byte {
	out := []byte{0x82} // the last frame of a binary message
	if c.isText {
		out[0] = 0x81
	}
	switch n := len(message); {
	case n < 126:
		out = append(out, 0x80|byte(n))
	case n <= math.MaxUint16:
		out = binary.BigEndian.AppendUint16(append(out, 0x80|126), uint16(n))
	default:
		out = binary.BigEndian.AppendUint64(append(out, 0x80|127), uint64(n))
	}
	return append(append(out, 0, 0, 0, 0), message...)
}

// FuzzRemoteFrames makes up the messages of a client of exec: the process receives the input
// up to its end, and sizes that a terminal can have, and the stream ends with its client.
func FuzzRemoteFrames(f *testing.F) {
	for _, seed := range []string{
		"\x00hello", "\x00a\x1e\x00b\x1e\xff\x00\x1e\x00late", "\x04{\"Width\":80,\"Height\":24}\x1e\x04{\"Wid\x1e\x04th\":0}", "\xff\x1e\x00x", "\xff\x09\x1e\x00x",
		"\x01out\x1e\x03err\x1e\x09none\x1e\x00in", "\x04[]{}\x1e\x00in", "\xff\x01\x1e\xff\x03\x1e\x00in", "\x00a\x1e\x88\x80\x00\x00\x00\x00", "\x00a\x1e\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00",
	} {
		for flags := range byte(16) {
			f.Add(flags, []byte(seed))
		}
	}
	streams := newRemoteServer(f)
	f.Fuzz(func(t *testing.T, flags byte, data []byte) {
		c := newRemoteCase(flags, data)
		process := streams.run(t, c)
		want := c.input()
		process.mutex.Lock()
		defer process.mutex.Unlock()
		got := process.input.Bytes()
		if !bytes.HasPrefix(got, want) || len(c.tail) == 0 && len(got) != len(want) || !c.stdin && len(got) > 0 {
			t.Errorf("%+v: the process received %q, want %q", c, got, want)
		}
		for _, size := range process.sizes {
			if size.Width == 0 || size.Height == 0 {
				t.Errorf("%+v: the terminal has %+v", c, size)
			}
		}
	})
}

// remoteServer serves one stream after the other.
type remoteServer struct {
	connections pipes
	process     chan *recordingEngine
	served      chan error
}

func newRemoteServer(f *testing.F) *remoteServer {
	f.Helper()
	s := &remoteServer{connections: make(pipes), process: make(chan *recordingEngine, 1), served: make(chan error, 1)}
	source := Source{
		Mirror: func(context.Context, string, string) error { return nil },
		Engine: func(context.Context) (engine.Connection, error) { return engine.Connection{Engine: <-s.process}, nil },
	}
	web := &http.Server{
		BaseContext: func(net.Listener) context.Context { return klog.NewContext(context.Background(), logr.Discard()) },
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			one := &server{Source: source, info: &request.RequestInfo{Namespace: "home", Name: "web", Subresource: exec}}
			s.served <- one.serve(w, r)
		}),
	}
	go func() { _ = web.Serve(s.connections) }()
	f.Cleanup(func() {
		close(s.connections)
		_ = web.Close()
	})
	return s
}

// run sends what a client sends, and returns the process when the stream has ended.
func (s *remoteServer) run(t *testing.T, c remoteCase) *recordingEngine {
	t.Helper()
	process := &recordingEngine{closed: make(chan struct{})}
	s.process <- process
	client, conn := net.Pipe()
	s.connections <- conn
	defer client.Close()
	fmt.Fprintf(client, "GET /?command=a&stdin=%v HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: %s\r\n\r\n", c.stdin, c.protocol)
	reader := bufio.NewReader(client)
	response, err := http.ReadResponse(reader, nil)
	if err != nil || response.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("the upgrade: %+v, %v", response, err)
	}
	defer response.Body.Close()
	// An empty message shows that the streams are open. Before it, the input can be lost.
	if _, err := reader.Discard(len("\x82\x01\x01")); err != nil {
		t.Fatalf("%+v: %v", c, err)
	}
	go func() { _, _ = io.Copy(io.Discard, reader) }()
	for _, message := range c.messages {
		_, _ = client.Write(c.frame(message)) // the server may have ended the stream
	}
	for _, raw := range c.tail {
		_, _ = client.Write(raw)
	}
	_ = client.Close()
	deadline := time.After(remoteDeadline)
	select {
	case err := <-s.served:
		if err != nil {
			t.Fatalf("%+v is refused: %v", c, err)
		}
	case <-deadline:
		t.Fatalf("%+v: the stream does not end", c)
	}
	if !c.stdin {
		return process
	}
	select {
	case <-process.closed:
	case <-deadline:
		t.Fatalf("%+v: the input does not end", c)
	}
	return process
}
