// Package forward makes sockets of a VM's guest appear on the host.
//
// It exists because a socket must be there exactly as long as the guest answers:
// a client that connects to the socket of a dead connection would hang, one that
// finds none is told at once.
package forward

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// acceptAgain is the pause after a connection that could not be taken.
const acceptAgain = 20 * time.Millisecond

// dialWithin bounds a connection in the guest; it is local there.
const dialWithin = 10 * time.Second

// Dial connects in the guest. Its connections must have CloseWrite.
type Dial func(context.Context) (net.Conn, error)

// Forward is a socket on the host that leads into the guest.
type Forward struct {
	listener net.Listener
	dial     Dial
	log      *slog.Logger
	// ctx ends with the forward.
	ctx  context.Context //nolint:containedctx // It is the life of the connections, not of a call.
	end  context.CancelFunc
	work sync.WaitGroup
}

// Open listens at socket, in place of what a dead process left there. The socket
// and its directory are for their owner only.
func Open(socket string, dial Dial, log *slog.Logger) (*Forward, error) {
	if err := os.MkdirAll(filepath.Dir(socket), 0o700); err != nil {
		return nil, fmt.Errorf("make the directory of the socket: %w", err)
	}
	if err := os.Remove(socket); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("remove the old socket: %w", err)
	}
	listener, err := net.Listen("unix", socket)
	if err != nil {
		return nil, fmt.Errorf("listen at %s: %w", socket, err)
	}
	if err := os.Chmod(socket, 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("protect %s: %w", socket, err), listener.Close())
	}
	return Serve(listener, dial, log), nil
}

// Serve forwards what comes to a listener, which it closes in the end.
func Serve(listener net.Listener, dial Dial, log *slog.Logger) *Forward {
	f := &Forward{listener: listener, dial: dial, log: log}
	f.ctx, f.end = context.WithCancel(context.Background())
	f.work.Go(f.accept)
	return f
}

// Close removes the socket, ends what goes through it and returns when that is done.
func (f *Forward) Close() {
	f.end()
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
			// Too many open files, or a listener that takes not everybody.
			f.log.Warn("a connection was not taken", "error", err)
			select {
			case <-f.ctx.Done():
			case <-time.After(acceptAgain):
			}
			continue
		}
		f.work.Go(func() { f.serve(conn) })
	}
}

func (f *Forward) serve(host net.Conn) {
	defer host.Close()
	ctx, cancel := context.WithTimeout(f.ctx, dialWithin)
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

// join copies both ways until both ends have said all. The end of one direction
// is passed on by itself, because an attached container, or a build, goes on
// answering after its input has ended.
func join(a, b net.Conn) {
	var both sync.WaitGroup
	both.Go(func() { carry(a, b) })
	both.Go(func() { carry(b, a) })
	both.Wait()
}

// carry copies from one to the other. If the other takes no more there is no one
// left to talk to, and both are closed.
func carry(from, to net.Conn) {
	_, err := io.Copy(to, from)
	if half, ok := to.(interface{ CloseWrite() error }); ok && err == nil {
		err = half.CloseWrite()
	}
	if err != nil && !errors.Is(err, io.EOF) {
		from.Close()
		to.Close()
	}
}
