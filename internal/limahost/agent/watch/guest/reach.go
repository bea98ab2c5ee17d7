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

// pace has the timing of attempts to reach a guest.
//
// Each attempt costs a booting emulated guest a second of processor time, for the process
// that serves it. An attempt before the guest has a network is lost: QEMU's user network
// accepts it at once, and never repeats its first packet.
type pace struct {
	// timeout limits an attempt. interval is the time until a parallel one begins.
	timeout, interval time.Duration
}

const (
	// patientTimeout and patientInterval are used when the guest is known to have a
	// network, so that a missing answer means a slow guest.
	patientTimeout  = 10 * time.Second
	patientInterval = 2 * time.Second
	// eagerTimeout is the timeout of the first attempt without a known network. Each
	// later attempt has a longer one, because a network may come up without a
	// notification.
	eagerTimeout = 400 * time.Millisecond
	// bannerSize is the size of "SSH-", with which the answer of an SSH server begins.
	bannerSize = 4
)

func patient() pace { return pace{timeout: patientTimeout, interval: patientInterval} }

// eager returns the pace of the nth attempt, beginning with 0.
func eager(n int) pace {
	timeout := eagerTimeout
	for ; n > 0 && timeout < patientTimeout; n-- {
		timeout += timeout / 5
	}
	return pace{timeout: min(timeout, patientTimeout), interval: patientTimeout}
}

// errRestart reports that another attempt should begin at once.
var errRestart = errors.New("the guest's network came up during the attempt")

// countingConn counts the received bytes.
type countingConn struct {
	net.Conn
	buffered *bufio.Reader
	received atomic.Int64
}

func newCountingConn(conn net.Conn) *countingConn {
	return &countingConn{Conn: conn, buffered: bufio.NewReader(conn)}
}

func (c *countingConn) Read(p []byte) (int, error) {
	n, err := c.buffered.Read(p)
	c.received.Add(int64(n))
	return n, err
}

// reach returns a connection on which an SSH server has answered. It fails when an
// attempt is refused or takes too long, and with errRestart when restart receives.
func reach(ctx context.Context, addr string, p pace, restart <-chan struct{}) (*countingConn, error) {
	ctx, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	type result struct {
		conn *countingConn
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
	ticker := time.NewTicker(p.interval)
	defer ticker.Stop()
	go attempt()
	for {
		select {
		case r := <-results:
			return r.conn, r.err
		case <-ticker.C:
			go attempt()
		case <-restart:
			return nil, errRestart
		case <-ctx.Done():
			return nil, fmt.Errorf("no SSH server answers at %s: %w", addr, ctx.Err())
		}
	}
}

func attemptOne(ctx context.Context, addr string) (*countingConn, error) {
	raw, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { raw.Close() })
	conn := newCountingConn(raw)
	text, err := conn.buffered.Peek(bannerSize)
	if err == nil && string(text) != "SSH-" {
		err = fmt.Errorf("an SSH server does not begin with %q", text)
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
