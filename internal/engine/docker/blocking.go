package docker

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// dialer is the DialContext of a transport.
type dialer func(ctx context.Context, network, address string) (net.Conn, error)

// maxBlocking bounds the threads that wait for an engine that has stopped sending.
const maxBlocking = 32

type blockingKey struct{}

// forBlocking returns a context whose request has a connection of its own that blocks a
// thread: see blockingConn.
func forBlocking(ctx context.Context) context.Context {
	return context.WithValue(forStream(ctx), blockingKey{}, true)
}

// withBlocking returns a dialer that makes up to maxBlocking blocking connections to unix
// sockets, for the requests that want them. Over TLS, a connection needs deadlines.
func withBlocking(dial dialer) dialer {
	slots := make(chan struct{}, maxBlocking)
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil || ctx.Value(blockingKey{}) == nil {
			return conn, err
		}
		c, ok := conn.(*net.UnixConn)
		if !ok {
			return conn, nil
		}
		select {
		case slots <- struct{}{}:
			return newBlockingConn(c, func() { <-slots })
		default:
			return conn, nil
		}
	}
}

// blockingConn is a connection whose reads and writes block a thread. Each piece that
// arrives at any other connection wakes up Go's poller, even while it is not read: that is
// most of what a log costs, of which the engine sends each line by itself. A thread is
// blocked only during a read, so that paced reads of a blocking connection cost little.
type blockingConn struct {
	*os.File

	local, remote net.Addr
	// onClose is called once.
	onClose func()
}

// newBlockingConn replaces a connection by a blocking one, and closes it.
func newBlockingConn(conn *net.UnixConn, onClose func()) (net.Conn, error) {
	defer func() { _ = conn.Close() }() // the duplicate stays open
	file, err := duplicate(conn)
	if err != nil {
		onClose()
		return nil, fmt.Errorf("make a blocking connection: %w", err)
	}
	return &blockingConn{File: file, local: conn.LocalAddr(), remote: conn.RemoteAddr(), onClose: sync.OnceFunc(onClose)}, nil
}

// duplicate returns a blocking duplicate of a connection, which must be closed then: the
// connection does not work any more.
func duplicate(conn *net.UnixConn) (*os.File, error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, err
	}
	var fd int
	controlErr := raw.Control(func(of uintptr) {
		if err = unix.SetNonblock(int(of), false); err == nil {
			fd, err = unix.FcntlInt(of, unix.F_DUPFD_CLOEXEC, 0)
		}
	})
	if err := errors.Join(controlErr, err); err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), conn.RemoteAddr().String()), nil
}

// Close implements net.Conn. It ends a read or a write that blocks.
func (c *blockingConn) Close() error {
	defer c.onClose()
	raw, err := c.SyscallConn()
	if err != nil {
		return err
	}
	// It fails for a connection that the engine has closed.
	controlErr := raw.Control(func(fd uintptr) { _ = unix.Shutdown(int(fd), unix.SHUT_RDWR) })
	return errors.Join(controlErr, c.File.Close())
}

// LocalAddr implements net.Conn.
func (c *blockingConn) LocalAddr() net.Addr { return c.local }

// RemoteAddr implements net.Conn.
func (c *blockingConn) RemoteAddr() net.Addr { return c.remote }
