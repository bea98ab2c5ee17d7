package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"time"
)

// piece is the size of the largest piece of data without an impairment.
const piece = 32 << 10

// link is the engine's socket for the daemon, with impairments. Toxiproxy has TCP
// alone, and never removes a toxic from a connection whose peer was killed. Here the
// impairment belongs to the link, and a connection reads it for each piece of data.
type link struct {
	socket, target string

	mu         sync.Mutex
	impairment impairment
	changed    chan struct{}
	listener   net.Listener
	calls      map[*call]bool
}

// call is a connection of the daemon and the matching one to the engine.
type call struct {
	daemon, engine *net.UnixConn
	// rank decides, from 0 to 1, whether the call is exempt.
	rank  float64
	ended chan struct{}
	end   func()
}

func newLink(socket, target string) (*link, error) {
	l := &link{socket: socket, target: target, changed: make(chan struct{}), calls: map[*call]bool{}}
	return l, l.listen()
}

func (l *link) listen() error {
	listener, err := net.Listen("unix", l.socket)
	if err != nil {
		return fmt.Errorf("listen between daemon and engine: %w", err)
	}
	l.listener = listener
	go l.serve(listener)
	return nil
}

func (l *link) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.listener != nil {
		l.listener.Close()
	}
	l.cut()
}

// set replaces the impairment.
func (l *link) set(w impairment) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	before := l.impairment
	l.impairment = w
	close(l.changed)
	l.changed = make(chan struct{})
	if w.cut || before.drop {
		l.cut()
	}
	if w.half {
		for c := range l.calls {
			_ = c.daemon.CloseWrite() // it may be closed already
		}
	}
	switch {
	case w.absent && l.listener != nil:
		l.listener.Close()
		l.listener = nil
	case !w.absent && l.listener == nil:
		return l.listen()
	}
	return nil
}

// cut ends all calls. The caller holds the lock.
func (l *link) cut() {
	for c := range l.calls {
		c.end()
	}
}

func (l *link) now() (impairment, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.impairment, l.changed
}

func (l *link) serve(listener net.Listener) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		go l.pass(conn.(*net.UnixConn))
	}
}

// pass serves one call until its end.
func (l *link) pass(daemon *net.UnixConn) {
	defer func() { _ = daemon.Close() }()
	if w, _ := l.now(); w.cut {
		return
	}
	var dialer net.Dialer
	conn, err := dialer.DialContext(context.Background(), "unix", l.target)
	if err != nil {
		return
	}
	c := &call{rank: rand.Float64(), daemon: daemon, engine: conn.(*net.UnixConn), ended: make(chan struct{})}
	c.end = sync.OnceFunc(func() {
		close(c.ended)
		_, _ = c.daemon.Close(), c.engine.Close() // either may be closed already
	})
	defer c.end()
	l.mu.Lock()
	l.calls[c] = true
	l.mu.Unlock()
	defer func() {
		l.mu.Lock()
		delete(l.calls, c)
		l.mu.Unlock()
	}()
	var both sync.WaitGroup
	both.Go(func() { l.pump(c, c.daemon, c.engine, false) })
	both.Go(func() { l.pump(c, c.engine, c.daemon, true) })
	both.Wait()
}

// pump copies one direction of a call. At the end of the data it closes this
// direction, and on an error the whole call.
func (l *link) pump(c *call, from, to *net.UnixConn, back bool) {
	buffer := make([]byte, piece)
	passed := 0
	for {
		w, _ := l.now()
		size := piece
		if w.slice > 0 {
			size = w.slice
		}
		n, err := from.Read(buffer[:size])
		if n > 0 {
			data := l.wait(c, buffer[:n], back, &passed)
			if _, writeErr := to.Write(data); writeErr != nil || len(data) < n {
				c.end()
				return
			}
		}
		if err != nil {
			l.finish(c, to, err)
			return
		}
	}
}

// finish closes one direction, or the call on an error.
func (l *link) finish(c *call, to *net.UnixConn, err error) {
	if w, _ := l.now(); w.linger > 0 {
		c.wait(w.linger, nil)
	}
	if !errors.Is(err, io.EOF) {
		c.end()
		return
	}
	_ = to.CloseWrite() // it may be closed already
}

// wait delays a piece of data, and returns as much of it as may pass.
func (l *link) wait(c *call, data []byte, back bool, passed *int) []byte {
	w, changed := l.now()
	for w.hold && w.applies(c.rank, back) {
		if !c.wait(time.Hour, changed) {
			return nil
		}
		w, changed = l.now()
	}
	if !w.applies(c.rank, back) {
		return data
	}
	pause := w.delay
	if w.jitter > 0 {
		pause += rand.N(w.jitter)
	}
	if w.rate > 0 {
		pause += time.Duration(len(data)) * time.Second / time.Duration(w.rate)
	}
	if pause > 0 && !c.wait(pause, nil) {
		return nil
	}
	if !back || w.limit == 0 {
		return data
	}
	data = data[:min(len(data), max(0, w.limit-*passed))]
	*passed += len(data)
	return data
}

// wait returns after a time, or when changed is closed. It returns false when the
// call has ended.
func (c *call) wait(d time.Duration, changed <-chan struct{}) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-changed:
		return true
	case <-c.ended:
		return false
	}
}
