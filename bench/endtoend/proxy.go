package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

// proxy records when the daemon first calls its engine. Then it redirects the daemon to
// the engine, so that it costs one connection.
type proxy struct {
	listener net.Listener
	target   string
	// redirect leads later calls to the engine.
	redirect func() error
	first    chan time.Time
}

func startProxy(socket, target string, redirect func() error) (*proxy, error) {
	listener, err := net.Listen("unix", socket)
	if err != nil {
		return nil, fmt.Errorf("listen for the engine: %w", err)
	}
	p := &proxy{listener: listener, target: target, redirect: redirect, first: make(chan time.Time, 1)}
	go p.serve()
	return p, nil
}

func (p *proxy) close() { p.listener.Close() }

func (p *proxy) serve() {
	for {
		conn, err := p.listener.Accept()
		if err != nil {
			return
		}
		at := time.Now()
		if err := p.redirect(); err != nil {
			conn.Close() // the first call stays unknown
			continue
		}
		select {
		case p.first <- at:
		default:
		}
		go p.pass(conn)
	}
}

// pass copies both directions until their end.
func (p *proxy) pass(from net.Conn) {
	defer from.Close()
	var dialer net.Dialer
	to, err := dialer.DialContext(context.Background(), "unix", p.target)
	if err != nil {
		return
	}
	defer to.Close()
	var both sync.WaitGroup
	for _, way := range [][2]net.Conn{{from, to}, {to, from}} {
		both.Go(func() {
			// Either end may close at any time, as a killed daemon does.
			_, _ = io.Copy(way[1], way[0])
			_ = way[1].(*net.UnixConn).CloseWrite()
		})
	}
	both.Wait()
}

// reset makes the next call the first one.
func (p *proxy) reset() {
	select {
	case <-p.first:
	default:
	}
}
