package guest

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"golang.org/x/crypto/ssh"
)

// handshakeTimeout limits the key exchange and the login. It is long enough for an
// emulated guest that is still booting.
const handshakeTimeout = 15 * time.Second

// Conn is a connection to the guest after the login.
type Conn struct {
	client *ssh.Client
	raw    *countingConn
}

// login logs in through a raw connection, which it closes on failure.
func login(ctx context.Context, raw *countingConn, c Config) (*Conn, error) {
	config, err := clientConfig(c)
	if err != nil {
		raw.Close()
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, handshakeTimeout)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { raw.Close() })
	conn, channels, requests, err := ssh.NewClientConn(raw, c.Addr, config)
	if !stop() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		raw.Close()
		return nil, fmt.Errorf("log in to the guest: %w", err)
	}
	return &Conn{client: ssh.NewClient(conn, channels, requests), raw: raw}, nil
}

func clientConfig(c Config) (*ssh.ClientConfig, error) {
	text, err := os.ReadFile(c.KeyFile)
	if err != nil {
		return nil, fmt.Errorf("read the SSH key for the guest: %w", err)
	}
	key, err := ssh.ParsePrivateKey(text)
	if err != nil {
		return nil, fmt.Errorf("read the SSH key for the guest from %s: %w", c.KeyFile, err)
	}
	check, algorithms, err := hostKeys(c.KnownHosts)
	if err != nil {
		return nil, err
	}
	var ciphers ssh.Config
	if c.Emulated {
		ciphers.Ciphers = append([]string{ssh.CipherChaCha20Poly1305}, ssh.SupportedAlgorithms().Ciphers...)
	}
	return &ssh.ClientConfig{
		Config:            ciphers,
		User:              c.User,
		Auth:              []ssh.AuthMethod{ssh.PublicKeys(key)},
		HostKeyCallback:   check,
		HostKeyAlgorithms: algorithms,
	}, nil
}

// Dial connects to a unix socket in the guest. The connection has a method CloseWrite.
func (c *Conn) Dial(ctx context.Context, socket string) (net.Conn, error) {
	return c.dial(ctx, "unix", socket)
}

// DialTCP connects to a port in the guest, as host:port.
func (c *Conn) DialTCP(ctx context.Context, addr string) (net.Conn, error) {
	return c.dial(ctx, "tcp", addr)
}

func (c *Conn) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	type result struct {
		conn net.Conn
		err  error
	}
	results := make(chan result, 1)
	go func() {
		conn, err := c.client.Dial(network, addr)
		results <- result{conn, err}
	}()
	select {
	case r := <-results:
		if r.err != nil {
			return nil, fmt.Errorf("connect to %s in the guest: %w", addr, r.err)
		}
		return r.conn, nil
	case <-ctx.Done():
		go func() {
			if r := <-results; r.conn != nil {
				r.conn.Close()
			}
		}()
		return nil, fmt.Errorf("connect to %s in the guest: %w", addr, ctx.Err())
	}
}

// Program is a program that runs in the guest.
type Program struct {
	// In is its standard input, and Out its standard output. Out ends with the program,
	// or with the connection.
	In  io.WriteCloser
	Out io.Reader

	session *ssh.Session
}

// Start starts a program with a command line of the guest's shell.
func (c *Conn) Start(command string) (*Program, error) {
	session, err := c.client.NewSession()
	if err != nil {
		return nil, fmt.Errorf("open a session in the guest: %w", err)
	}
	p := &Program{session: session}
	if p.In, err = session.StdinPipe(); err == nil {
		p.Out, err = session.StdoutPipe()
	}
	if err == nil {
		err = session.Start(command)
	}
	if err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

// Close closes the connection, and all connections through it.
func (c *Conn) Close() { _ = c.client.Close() }

// Close closes the program's input and output. The program must end by itself then.
func (p *Program) Close() { _ = p.session.Close() }
