package hubtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"

	"k8s.io/client-go/rest"
)

// condition is what a link does with connections.
type condition int

const (
	passing condition = iota
	cut
	hanging
)

// Link is a TCP proxy between clients and the API server. All methods may be called
// concurrently.
type Link struct {
	admin    *rest.Config
	target   string
	listener *net.TCPListener

	mu        sync.Mutex
	condition condition
	// changed is closed when the condition changes.
	changed chan struct{}
	dials   int
	calls   map[*call]bool
}

// call is a connection of a client, and the one to the API server when there is one.
type call struct {
	client, server *net.TCPConn
	// ended is closed when both are closed.
	ended chan struct{}
}

// NewLink returns a link that passes everything. Close ends it.
func (c *Cluster) NewLink() (*Link, error) {
	listener, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.ParseIP(loopback)})
	if err != nil {
		return nil, fmt.Errorf("listen for a link to the hub: %w", err)
	}
	l := &Link{
		admin: c.AdminConfig(), target: c.apiPort.address(), listener: listener,
		changed: make(chan struct{}), calls: map[*call]bool{},
	}
	go l.serve()
	return l, nil
}

// Config returns an administrator's configuration that leads through the link.
func (l *Link) Config() *rest.Config { return l.Via(l.admin) }

// Via returns a copy of a configuration that leads through the link.
func (l *Link) Via(config *rest.Config) *rest.Config {
	config = rest.CopyConfig(config)
	config.Host = "https://" + l.listener.Addr().String()
	return config
}

// Cut resets all connections, and each new one at once. client-go retries a GET whose
// connection is reset, for ten seconds, and no other request.
func (l *Link) Cut() { l.set(cut) }

// Hang withholds all data of old and new connections, in both directions, until Restore.
// Clients can connect.
func (l *Link) Hang() { l.set(hanging) }

// Restore passes data and new connections. Data that was withheld arrives.
func (l *Link) Restore() { l.set(passing) }

// Dials returns how often clients have connected, also while the link was cut.
func (l *Link) Dials() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.dials
}

// Close resets all connections, and refuses new ones.
func (l *Link) Close() {
	_ = l.listener.Close() // it may be closed already
	l.Cut()
}

func (l *Link) set(next condition) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.condition = next
	close(l.changed)
	l.changed = make(chan struct{})
	if next != cut {
		return
	}
	for c := range l.calls {
		l.reset(c)
	}
}

// end resets a call, if it has not ended.
func (l *Link) end(c *call) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.reset(c)
}

// reset closes a call so that both sides see an error and not the end of the data. The
// caller holds the lock.
func (l *Link) reset(c *call) {
	if !l.calls[c] {
		return
	}
	delete(l.calls, c)
	close(c.ended)
	for _, conn := range []*net.TCPConn{c.client, c.server} {
		if conn != nil {
			_ = conn.SetLinger(0) // the peer may have closed it
			_ = conn.Close()
		}
	}
}

func (l *Link) serve() {
	for {
		client, err := l.listener.AcceptTCP()
		if err != nil {
			return
		}
		c := &call{client: client, ended: make(chan struct{})}
		l.mu.Lock()
		l.dials++
		l.calls[c] = true
		if l.condition == cut {
			l.reset(c)
		}
		l.mu.Unlock()
		go l.pass(c)
	}
}

// pass serves one call until its end.
func (l *Link) pass(c *call) {
	defer l.end(c)
	if !l.await(c) || !l.connect(c) {
		return
	}
	var both sync.WaitGroup
	both.Go(func() { l.pump(c, c.server, c.client) })
	both.Go(func() { l.pump(c, c.client, c.server) })
	both.Wait()
}

// connect connects a call to the API server. It returns false when the server refuses,
// or when the call has ended.
func (l *Link) connect(c *call) bool {
	dialer := net.Dialer{Timeout: answerTimeout}
	conn, err := dialer.DialContext(context.Background(), "tcp", l.target)
	if err != nil {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.calls[c] {
		conn.Close()
		return false
	}
	c.server = conn.(*net.TCPConn)
	return true
}

// pump copies one direction. At the end of the data it closes this direction, and on an
// error the whole call.
func (l *Link) pump(c *call, to, from *net.TCPConn) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if !l.await(c) {
			return
		}
		if _, writeErr := to.Write(buffer[:n]); writeErr != nil {
			l.end(c)
			return
		}
		if errors.Is(err, io.EOF) {
			_ = to.CloseWrite() // it may be closed already
			return
		}
		if err != nil {
			l.end(c)
			return
		}
	}
}

// await returns when data may pass. It returns false when the call has ended.
func (l *Link) await(c *call) bool {
	for {
		l.mu.Lock()
		hangs, changed, alive := l.condition == hanging, l.changed, l.calls[c]
		l.mu.Unlock()
		if !hangs || !alive {
			return alive
		}
		select {
		case <-changed:
		case <-c.ended:
		}
	}
}
