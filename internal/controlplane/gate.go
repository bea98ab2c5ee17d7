package controlplane

import (
	"container/list"
	"context"
	"crypto/tls"
	"net"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// connectionLimits limit the connections of API clients, which every user of this
// machine can open.
type connectionLimits struct {
	// authenticated limits the connections that sent the token, unauthenticated all
	// others.
	authenticated, unauthenticated int
	// authTimeout is how long a connection may take to send the token.
	authTimeout time.Duration
	// minWait is how long a connection has at least to send the token, even if it uses
	// the last place.
	minWait time.Duration
}

// defaultLimits reserves at least a third of the process's file descriptors for the
// daemon itself, such as for the engine's socket and the datastore.
func defaultLimits() connectionLimits {
	descriptors := 1024
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err == nil && limit.Cur < 1<<20 {
		descriptors = int(limit.Cur) //nolint:gosec // it is below 2^20
	} else if err == nil {
		descriptors = 1 << 20
	}
	return connectionLimits{
		authenticated:   min(descriptors/2, 16384),
		unauthenticated: min(descriptors/8, 1024),
		authTimeout:     10 * time.Second,
		minWait:         250 * time.Millisecond,
	}
}

// gate is the listener for API clients. A connection is authenticated once a request on
// it had the token. When the gate is full of unauthenticated connections, a new one
// evicts the oldest. So idle connections without a token never keep out a client that
// has it.
type gate struct {
	net.Listener

	limits connectionLimits
	// onEvict is called for each evicted connection.
	onEvict func()
	// freed signals that an unauthenticated connection released its place; it has room
	// for one signal.
	freed  chan struct{}
	closed chan struct{}
	once   sync.Once

	mutex sync.Mutex
	// unauthenticated has the unauthenticated connections as *gatedConn, oldest first.
	unauthenticated *list.List
	authenticated   int
}

func newGate(listener net.Listener, limits connectionLimits, onEvict func()) *gate {
	return &gate{
		Listener: listener, limits: limits, onEvict: onEvict, unauthenticated: list.New(),
		freed: make(chan struct{}, 1), closed: make(chan struct{}),
	}
}

// Accept implements [net.Listener]. While the gate is full, connections wait in the
// kernel's queue.
func (g *gate) Accept() (net.Conn, error) {
	for {
		delay := g.evictIfFull()
		if delay == 0 {
			break
		}
		select {
		case <-g.freed:
		case <-time.After(delay):
		case <-g.closed:
			return nil, net.ErrClosed
		}
	}
	conn, err := g.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return g.admit(conn), nil
}

// Close implements [net.Listener].
func (g *gate) Close() error {
	g.once.Do(func() { close(g.closed) })
	return g.Listener.Close()
}

// evictIfFull returns 0 when the gate has a free place, else how long to wait.
func (g *gate) evictIfFull() time.Duration {
	oldest, delay := g.evict()
	if oldest != nil {
		_ = oldest.Close()
		g.onEvict()
	}
	return delay
}

// evict releases the place of the oldest unauthenticated connection if there is no free
// one, and returns the connection. If that connection may still wait, evict returns nil
// and the remaining time. Without a place a connection cannot become authenticated.
func (g *gate) evict() (*gatedConn, time.Duration) {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	if g.unauthenticated.Len() < g.limits.unauthenticated {
		return nil, 0
	}
	oldest := g.unauthenticated.Front().Value.(*gatedConn)
	if remaining := g.limits.minWait - time.Since(oldest.since); remaining > 0 {
		return nil, remaining
	}
	oldest.release()
	return oldest, 0
}

func (g *gate) admit(conn net.Conn) *gatedConn {
	c := &gatedConn{Conn: conn, gate: g, since: time.Now()}
	g.mutex.Lock()
	defer g.mutex.Unlock()
	c.place = g.unauthenticated.PushBack(c)
	c.timer = time.AfterFunc(g.limits.authTimeout, func() { _ = c.Close() })
	return c
}

// gatedConn is a client's connection. The gate's mutex guards its fields.
type gatedConn struct {
	net.Conn

	gate  *gate
	since time.Time
	timer *time.Timer
	// place is the place among the unauthenticated connections, or nil.
	place           *list.Element
	isAuthenticated bool
}

// markAuthenticated is called when a request had the token. It returns false if there
// are too many authenticated connections, or this one is closed.
func (c *gatedConn) markAuthenticated() bool {
	g := c.gate
	g.mutex.Lock()
	defer g.mutex.Unlock()
	switch {
	case c.isAuthenticated:
		return true
	case c.place == nil: // evicted or closed
		return false
	case g.authenticated >= g.limits.authenticated:
		return false
	}
	c.isAuthenticated = true
	g.authenticated++
	c.release()
	return true
}

// release releases the place of an unauthenticated connection.
func (c *gatedConn) release() {
	c.timer.Stop()
	c.gate.unauthenticated.Remove(c.place)
	c.place = nil
	select {
	case c.gate.freed <- struct{}{}:
	default:
	}
}

// Close implements [net.Conn].
func (c *gatedConn) Close() error {
	g := c.gate
	g.mutex.Lock()
	if c.place != nil {
		c.release()
	}
	if c.isAuthenticated {
		c.isAuthenticated = false
		g.authenticated--
	}
	g.mutex.Unlock()
	return c.Conn.Close()
}

type connectionKey struct{}

// withConnection is the ConnContext of an [http.Server] behind a gate.
func withConnection(ctx context.Context, conn net.Conn) context.Context {
	if encrypted, ok := conn.(*tls.Conn); ok {
		conn = encrypted.NetConn()
	}
	return context.WithValue(ctx, connectionKey{}, conn)
}

// markAuthenticated marks the connection of a request with the token as authenticated.
// It returns false if the connection must be closed. An in-process request has no
// connection.
func markAuthenticated(ctx context.Context) bool {
	conn, ok := ctx.Value(connectionKey{}).(*gatedConn)
	return !ok || conn.markAuthenticated()
}
