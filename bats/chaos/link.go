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

// piece is the size of the largest piece of data in fine weather.
const piece = 32 << 10

// link is the socket at which the daemon finds the engine, and all that can be
// wrong with it. Toxiproxy knows TCP alone, and waits for ever to take a toxic
// off a connection whose end was killed; here the weather belongs to the link,
// and a connection looks at it before each piece of data.
type link struct {
	socket, target string

	mu       sync.Mutex
	weather  weather
	changed  chan struct{}
	listener net.Listener
	calls    map[*call]bool
}

// call is one connection of the daemon, and the one to the engine.
type call struct {
	daemon, engine *net.UnixConn
	// luck is whether weather spares it that spares some.
	luck  float64
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
		return fmt.Errorf("stand between daemon and engine: %w", err)
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

// set changes the weather.
func (l *link) set(w weather) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	before := l.weather
	l.weather = w
	close(l.changed)
	l.changed = make(chan struct{})
	if w.cut || before.drop {
		l.cut()
	}
	if w.half {
		for c := range l.calls {
			_ = c.daemon.CloseWrite() // it may have ended by itself
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

// cut ends all calls; the lock is held.
func (l *link) cut() {
	for c := range l.calls {
		c.end()
	}
}

func (l *link) now() (weather, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.weather, l.changed
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

// pass carries one call to its end.
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
	c := &call{luck: rand.Float64(), daemon: daemon, engine: conn.(*net.UnixConn), ended: make(chan struct{})}
	c.end = sync.OnceFunc(func() {
		close(c.ended)
		_, _ = c.daemon.Close(), c.engine.Close() // either may have broken off
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

// pump carries one way of a call. It ends the whole call when the data cannot go
// on, and this way alone when there is no more.
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

// finish tells the other side that there is no more.
func (l *link) finish(c *call, to *net.UnixConn, err error) {
	if w, _ := l.now(); w.linger > 0 {
		c.wait(w.linger, nil)
	}
	if !errors.Is(err, io.EOF) {
		c.end()
		return
	}
	_ = to.CloseWrite() // it may have ended by itself
}

// wait holds a piece of data up as the weather wants, and returns as much of it
// as may pass.
func (l *link) wait(c *call, data []byte, back bool, passed *int) []byte {
	w, changed := l.now()
	for w.hold && w.holdsUp(c.luck, back) {
		if !c.wait(time.Hour, changed) {
			return nil
		}
		w, changed = l.now()
	}
	if !w.holdsUp(c.luck, back) {
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

// wait returns after a time, or early when something has changed; false when the
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
