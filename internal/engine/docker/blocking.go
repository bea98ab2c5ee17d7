package docker

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"

	"golang.org/x/sys/unix"
)

// dialer is the DialContext of a transport.
type dialer func(ctx context.Context, network, address string) (net.Conn, error)

type blockingKey struct{}

// forBlocking returns a context whose request has a connection of its own that blocks a
// thread: see blockingConn.
func forBlocking(ctx context.Context) context.Context {
	return context.WithValue(forStream(ctx), blockingKey{}, true)
}

// withBlocking returns a dialer that makes blocking connections to unix sockets for the
// requests that want them. Over TLS, a connection needs deadlines.
func withBlocking(dial dialer) dialer {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil || ctx.Value(blockingKey{}) == nil {
			return conn, err
		}
		if c, ok := conn.(*net.UnixConn); ok {
			return newBlockingConn(c)
		}
		return conn, nil
	}
}

// blockingConn is a connection whose reads and writes block a thread. Each piece that
// arrives at any other connection wakes up Go's poller, even while it is not read: that is
// most of what a log costs, of which the engine sends each line by itself. A thread is
// blocked only during a read, so that paced reads of a blocking connection cost little.
type blockingConn struct {
	*os.File

	local, remote net.Addr
}

// newBlockingConn replaces a connection by a blocking one, and closes it.
func newBlockingConn(conn *net.UnixConn) (net.Conn, error) {
	defer func() { _ = conn.Close() }() // the duplicate stays open
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, fmt.Errorf("make a blocking connection: %w", err)
	}
	var duplicate int
	controlErr := raw.Control(func(fd uintptr) {
		if duplicate, err = unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, 0); err == nil {
			// Both descriptors have this flag in common.
			err = unix.SetNonblock(duplicate, false)
		}
	})
	if err := errors.Join(controlErr, err); err != nil {
		return nil, fmt.Errorf("make a blocking connection: %w", err)
	}
	file := os.NewFile(uintptr(duplicate), conn.RemoteAddr().String())
	return &blockingConn{File: file, local: conn.LocalAddr(), remote: conn.RemoteAddr()}, nil
}

// Close implements net.Conn. It ends a read or a write that blocks.
func (c *blockingConn) Close() error {
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
