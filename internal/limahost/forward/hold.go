package forward

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// maxHeld is the number of connections that are held. More are refused.
	maxHeld = 256
	// requestSize is how much of a client's request is read while it is held.
	requestSize = 4 << 10
	// lastAccept is how long connections are accepted that were opened just before the
	// socket was removed.
	lastAccept = 100 * time.Millisecond
	// engineWithin is how long the engine's own socket may take to appear.
	engineWithin = 10 * time.Second
	// enginePause is the pause between two attempts to connect to it.
	enginePause = 50 * time.Millisecond
)

// Hold listens at a socket in place of an engine that does not run, and holds the
// connections of its clients until Forward or Close is called.
//
// A connection counts once its client has sent something, so that a program can check
// whether something listens.
type Hold struct {
	listener *net.UnixListener
	socket   socket
	needed   func()
	log      *slog.Logger
	// ctx ends when the connections are to be closed.
	ctx context.Context //nolint:containedctx // It limits the connections and not a call.
	end context.CancelFunc
	// dial connects to the engine. It is set before forwarding is closed.
	dial       Dial
	forwarding chan struct{}
	// open is the number of connections.
	open atomic.Int64
	work sync.WaitGroup
}

// OpenHold listens at a path, and replaces the socket of another process. needed is called
// for each connection on which a client has sent something, from any goroutine.
func OpenHold(path string, needed func(), log *slog.Logger) (*Hold, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("create the directory of the socket: %w", err)
	}
	listener, at, err := listen(path)
	if err != nil {
		return nil, err
	}
	h := &Hold{
		listener: listener.(*net.UnixListener), socket: at, needed: needed, log: log, forwarding: make(chan struct{}),
	}
	h.ctx, h.end = context.WithCancel(context.Background())
	h.work.Go(h.accept)
	return h, nil
}

// Forward forwards the connections to the engine, and holds no more. The socket is removed,
// unless the engine's own has replaced it.
func (h *Hold) Forward(dial Dial) {
	h.socket.remove()
	h.dial = dial
	close(h.forwarding)
	_ = h.listener.SetDeadline(time.Now().Add(lastAccept))
}

// Open returns the number of connections that are open.
func (h *Hold) Open() int { return int(h.open.Load()) }

// Close closes all connections, and removes the socket. It can be called twice, and after
// Forward.
func (h *Hold) Close() {
	h.socket.remove()
	h.end()
	_ = h.listener.Close()
	h.work.Wait()
}

func (h *Hold) accept() {
	defer func() { _ = h.listener.Close() }()
	for {
		conn, err := h.listener.Accept()
		switch {
		case err == nil:
			h.work.Go(func() { h.serve(conn) })
		case h.ctx.Err() != nil, errors.Is(err, net.ErrClosed), errors.Is(err, os.ErrDeadlineExceeded):
			return
		default:
			h.log.Warn("cannot accept a connection to the socket of an idle engine", "error", err)
			select {
			case <-h.ctx.Done():
			case <-time.After(acceptPause):
			}
		}
	}
}

// serve holds a connection, and then forwards it.
func (h *Hold) serve(client net.Conn) {
	defer client.Close()
	defer h.open.Add(-1)
	if h.open.Add(1) > maxHeld {
		h.log.Warn("a connection is refused, because too many wait for the engine", "limit", maxHeld)
		return
	}
	stop := context.AfterFunc(h.ctx, func() { client.Close() })
	defer stop()
	request := make([]byte, requestSize)
	n, err := client.Read(request)
	if err != nil {
		return
	}
	h.needed()
	select {
	case <-h.forwarding:
	case <-h.ctx.Done():
		return
	}
	engine, err := h.connect()
	if err != nil {
		h.log.Warn("a connection that waited for the engine could not be forwarded", "error", err)
		return
	}
	defer engine.Close()
	stopEngine := context.AfterFunc(h.ctx, func() { engine.Close() })
	defer stopEngine()
	if _, err := engine.Write(request[:n]); err == nil {
		join(client, engine)
	}
}

// connect connects to the engine, whose socket may appear a moment later.
func (h *Hold) connect() (net.Conn, error) {
	ctx, cancel := context.WithTimeout(h.ctx, engineWithin)
	defer cancel()
	for {
		conn, err := h.dial(ctx)
		if err == nil {
			return conn, nil
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(enginePause):
		}
	}
}
