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

// manner is how attempts to reach a guest are made. Each costs an emulated guest
// that is busy booting a second of processor time, for a process that serves it,
// if its SSH server runs already. If it does not even have a network, the attempt
// is lost: what forwards connections, QEMU's user network, takes any at once and
// sends its first packet once.
type manner struct {
	// life of an attempt, and the pause until another is made beside it.
	life, every time.Duration
}

const (
	// patientLife and patientEvery hold as soon as the guest is known to have a
	// network: who does not answer is slow.
	patientLife  = 10 * time.Second
	patientEvery = 2 * time.Second
	// hastyLife holds before that, for the first attempt. Each lives longer than
	// the last, since nothing may ever tell that there is a network.
	hastyLife = 400 * time.Millisecond
	// banner is how many bytes an SSH server must have sent: "SSH-".
	banner = 4
)

func patient() manner { return manner{life: patientLife, every: patientEvery} }

// hasty is the manner of the nth attempt, beginning with 0.
func hasty(n int) manner {
	life := hastyLife
	for ; n > 0 && life < patientLife; n-- {
		life += life / 5
	}
	return manner{life: min(life, patientLife), every: patientLife}
}

// errRestart says that there is a reason to begin anew at once.
var errRestart = errors.New("another attempt promises more")

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

// reach returns a connection at which an SSH server has begun to speak. It fails
// as soon as one is refused, when nobody answered within the life of an attempt,
// and with errRestart when restart says so.
func reach(ctx context.Context, addr string, how manner, restart <-chan struct{}) (*heardConn, error) {
	ctx, cancel := context.WithTimeout(ctx, how.life)
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
	ticker := time.NewTicker(how.every)
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
