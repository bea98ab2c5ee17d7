package guest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"
)

const (
	// attemptEvery is the pause between attempts to reach the guest. Each is a
	// new connection, because what forwards them, QEMU's user network, takes any
	// connection at once and loses its first packet while the guest has no network.
	attemptEvery = 400 * time.Millisecond
	// attemptLife is what one attempt gets: a guest that is emulated and busy
	// booting takes more than a second to start a process for a connection.
	attemptLife = 3 * time.Second
	// banner is how many bytes an SSH server must have sent: "SSH-".
	banner = 4
)

// heardConn counts what is received.
type heardConn struct {
	net.Conn
	buffered *bufio.Reader
	heard    atomic.Int64
}

func newHeardConn(conn net.Conn) *heardConn {
	return &heardConn{Conn: conn, buffered: bufio.NewReader(conn)}
}

func (c *heardConn) Read(p []byte) (int, error) {
	n, err := c.buffered.Read(p)
	c.heard.Add(int64(n))
	return n, err
}

// reach returns a connection at which an SSH server has begun to speak. It makes
// attempts that overlap and takes the first that is answered. It fails as soon as
// one is refused, and after attemptLife without an answer.
func reach(ctx context.Context, addr string) (*heardConn, error) {
	ctx, cancel := context.WithTimeout(ctx, attemptLife)
	defer cancel()
	type result struct {
		conn *heardConn
		err  error
	}
	results := make(chan result)
	attempt := func() {
		conn, err := attemptOne(ctx, addr)
		select {
		case results <- result{conn, err}:
		case <-ctx.Done():
			if conn != nil {
				conn.Close()
			}
		}
	}
	ticker := time.NewTicker(attemptEvery)
	defer ticker.Stop()
	go attempt()
	for {
		select {
		case r := <-results:
			return r.conn, r.err
		case <-ticker.C:
			go attempt()
		case <-ctx.Done():
			return nil, fmt.Errorf("no SSH server answers at %s: %w", addr, ctx.Err())
		}
	}
}

func attemptOne(ctx context.Context, addr string) (*heardConn, error) {
	raw, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { raw.Close() })
	conn := newHeardConn(raw)
	text, err := conn.buffered.Peek(banner)
	if err == nil && string(text) != "SSH-" {
		err = fmt.Errorf("%q is not how an SSH server begins", text)
	}
	if err != nil {
		raw.Close()
		return nil, fmt.Errorf("no SSH server answers at %s: %w", addr, err)
	}
	if !stop() {
		return nil, errors.Join(ctx.Err(), raw.Close())
	}
	return conn, nil
}
