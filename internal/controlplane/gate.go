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

// connectionLimits bound the connections of API clients, which anybody on this
// machine can open.
type connectionLimits struct {
	// known are connections that sent the token, strangers all others.
	known, strangers int
	// patience is how long a stranger may take to send the token, grace how long it
	// has at least before it makes room for another one.
	patience, grace time.Duration
}

// defaultLimits leave at least a third of the process's descriptors to the daemon
// itself, for the engine's socket and the datastore.
func defaultLimits() connectionLimits {
	descriptors := 1024
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err == nil && limit.Cur < 1<<20 {
		descriptors = int(limit.Cur) //nolint:gosec // it is below 2^20
	} else if err == nil {
		descriptors = 1 << 20
	}
	return connectionLimits{
		known:     min(descriptors/2, 16384),
		strangers: min(descriptors/8, 1024),
		patience:  10 * time.Second,
		grace:     250 * time.Millisecond,
	}
}

// gate is the listener for API clients. A connection is a stranger's until a
// request on it had the token. When all places for strangers are taken, the
// longest waiting one makes room: idle connections without a token, however many,
// never keep a client out that has it.
type gate struct {
	net.Listener

	limits connectionLimits
	// full is called when a stranger has to make room.
	full func()
	// room has one note when a stranger left its place.
	room   chan struct{}
	closed chan struct{}
	once   sync.Once

	mutex     sync.Mutex
	strangers *list.List // of *gatedConn, the longest waiting first
	known     int
}

func newGate(listener net.Listener, limits connectionLimits, full func()) *gate {
	return &gate{
		Listener: listener, limits: limits, full: full, strangers: list.New(),
		room: make(chan struct{}, 1), closed: make(chan struct{}),
	}
}

// Accept implements [net.Listener]. While there is no room, connections wait in
// the kernel's queue.
func (g *gate) Accept() (net.Conn, error) {
	for {
		delay := g.makeRoom()
		if delay == 0 {
			break
		}
		select {
		case <-g.room:
		case <-time.After(delay):
		case <-g.closed:
			return nil, net.ErrClosed
		}
	}
	conn, err := g.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return g.enter(conn), nil
}

// Close implements [net.Listener].
func (g *gate) Close() error {
	g.once.Do(func() { close(g.closed) })
	return g.Listener.Close()
}

// makeRoom returns 0 when there is room for a stranger, else how long to wait.
func (g *gate) makeRoom() time.Duration {
	oldest, left := g.evict()
	if oldest != nil {
		_ = oldest.Close()
		g.full()
	}
	return left
}

// evict takes the place of the stranger that waited longest and returns it, when
// there is no room; or nil and how long to wait, 0 when there is room. Nothing can
// recognise a connection that has no place any more.
func (g *gate) evict() (*gatedConn, time.Duration) {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	if g.strangers.Len() < g.limits.strangers {
		return nil, 0
	}
	oldest := g.strangers.Front().Value.(*gatedConn)
	if left := g.limits.grace - time.Since(oldest.since); left > 0 {
		return nil, left
	}
	oldest.leave()
	return oldest, 0
}

func (g *gate) enter(conn net.Conn) *gatedConn {
	c := &gatedConn{Conn: conn, gate: g, since: time.Now()}
	g.mutex.Lock()
	defer g.mutex.Unlock()
	c.place = g.strangers.PushBack(c)
	c.timer = time.AfterFunc(g.limits.patience, func() { _ = c.Close() })
	return c
}

// gatedConn is a client's connection. Its fields belong to the gate's mutex.
type gatedConn struct {
	net.Conn

	gate  *gate
	since time.Time
	timer *time.Timer
	// place is that among the strangers, nil for a known connection.
	place   *list.Element
	isKnown bool
}

// recognise is called when a request had the token. It reports whether there is
// room for one more known connection.
func (c *gatedConn) recognise() bool {
	g := c.gate
	g.mutex.Lock()
	defer g.mutex.Unlock()
	switch {
	case c.isKnown:
		return true
	case c.place == nil: // it has been closed
		return false
	case g.known >= g.limits.known:
		return false
	}
	c.isKnown = true
	g.known++
	c.leave()
	return true
}

// leave gives a stranger's place up.
func (c *gatedConn) leave() {
	c.timer.Stop()
	c.gate.strangers.Remove(c.place)
	c.place = nil
	select {
	case c.gate.room <- struct{}{}:
	default:
	}
}

// Close implements [net.Conn].
func (c *gatedConn) Close() error {
	g := c.gate
	g.mutex.Lock()
	if c.place != nil {
		c.leave()
	}
	if c.isKnown {
		c.isKnown = false
		g.known--
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

// recognised reports whether the connection of a request that had the token may
// stay. A request from this process has none.
func recognised(ctx context.Context) bool {
	conn, ok := ctx.Value(connectionKey{}).(*gatedConn)
	return !ok || conn.recognise()
}
