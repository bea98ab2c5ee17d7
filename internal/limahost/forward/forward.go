// Package forward forwards sockets on the host to a VM's guest.
//
// A socket must exist exactly as long as the guest answers. A client of a dead
// connection would hang; without a socket it fails at once. The exception is a VM that
// was stopped because it was idle: the daemon holds the connections to its socket.
//
// Reading map: forward.go forwards connections, hold.go holds them until an engine runs,
// socket.go creates and removes sockets, clients.go counts the connections of processes,
// which peer_linux.go and peer_darwin.go name.
package forward

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// acceptPause is the pause after a connection that could not be accepted.
const acceptPause = 20 * time.Millisecond

// dialTimeout limits a connection to a local socket in the guest.
const dialTimeout = 10 * time.Second

// Dial connects in the guest. Its connections must have CloseWrite.
type Dial = func(context.Context) (net.Conn, error)

// Forward is a socket on the host that is forwarded to the guest.
type Forward struct {
	listener net.Listener
	dial     Dial
	log      *slog.Logger
	// socket is zero for a listener of Serve.
	socket socket
	// clients counts the connections; nil counts none.
	clients *Clients
	// ctx ends when the forward is closed.
	ctx  context.Context //nolint:containedctx // It limits the connections and not a call.
	end  context.CancelFunc
	work sync.WaitGroup
}

// Open listens at a path, and replaces the socket of another process. Only the owner has
// access to the socket and its directory. clients counts the connections; it can be nil.
func Open(path string, dial Dial, clients *Clients, log *slog.Logger) (*Forward, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("create the directory of the socket: %w", err)
	}
	listener, at, err := listen(path)
	if err != nil {
		return nil, err
	}
	f := &Forward{listener: listener, dial: dial, log: log, socket: at, clients: clients}
	f.start()
	return f, nil
}

// Serve forwards the connections of a listener. Close closes the listener.
func Serve(listener net.Listener, dial Dial, log *slog.Logger) *Forward {
	f := &Forward{listener: listener, dial: dial, log: log}
	f.start()
	return f
}

func (f *Forward) start() {
	f.ctx, f.end = context.WithCancel(context.Background())
	f.work.Go(f.accept)
}

// Exists reports whether the socket is at its path.
func (f *Forward) Exists() bool { return f.socket.exists() }

// Close removes the socket, closes its connections, and waits for their end.
func (f *Forward) Close() {
	f.end()
	f.socket.remove()
	f.listener.Close()
	f.work.Wait()
}

func (f *Forward) accept() {
	for {
		conn, err := f.listener.Accept()
		if f.ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
			if conn != nil {
				conn.Close()
			}
			return
		}
		if err != nil {
			// For example, there are too many open files.
			f.log.Warn("cannot accept a connection", "error", err)
			select {
			case <-f.ctx.Done():
			case <-time.After(acceptPause):
			}
			continue
		}
		f.work.Go(func() { f.serve(conn) })
	}
}

func (f *Forward) serve(host net.Conn) {
	defer host.Close()
	defer f.clients.opened(host)()
	ctx, cancel := context.WithTimeout(f.ctx, dialTimeout)
	defer cancel()
	guest, err := f.dial(ctx)
	if err != nil {
		f.log.Debug("a connection could not be forwarded", "error", err)
		return
	}
	defer guest.Close()
	stop := context.AfterFunc(f.ctx, func() {
		host.Close()
		guest.Close()
	})
	defer stop()
	join(host, guest)
}

// join copies in both directions until both have ended. The directions end separately:
// an attached container, or a build, still answers after the end of its input.
func join(a, b net.Conn) {
	var both sync.WaitGroup
	both.Go(func() { copyTo(a, b) })
	both.Go(func() { copyTo(b, a) })
	both.Wait()
}

// copyTo copies from one connection to the other. It closes both when the other
// cannot be written any more.
func copyTo(from, to net.Conn) {
	_, err := io.Copy(to, from)
	if half, ok := to.(interface{ CloseWrite() error }); ok && err == nil {
		err = half.CloseWrite()
	}
	if err != nil && !errors.Is(err, io.EOF) {
		from.Close()
		to.Close()
	}
}
