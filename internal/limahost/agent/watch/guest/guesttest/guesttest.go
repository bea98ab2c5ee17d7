// Package guesttest has a fake guest of a VM: an SSH server that answers heartbeats
// and connects to unix sockets. Tests can cut its connections, or make it silent.
package guesttest

import (
	"bufio"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"

	"golang.org/x/crypto/ssh"
)

// Guest is the SSH server of a fake guest.
type Guest struct {
	// KeyFile has the private key of the guest's user.
	KeyFile string

	t        *testing.T
	config   *ssh.ServerConfig
	listener net.Listener
	// mute is held while the guest is silent.
	mute sync.RWMutex

	mu      sync.Mutex
	conns   []net.Conn
	sockets map[string]string
	disk    string
}

func newKey(t *testing.T) (ssh.Signer, []byte) {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(key, "")
	if err != nil {
		t.Fatal(err)
	}
	return signer, pem.EncodeToMemory(block)
}

// Start starts a guest, which stops at the end of the test.
func Start(t *testing.T) *Guest {
	t.Helper()
	g := &Guest{
		t: t, KeyFile: filepath.Join(t.TempDir(), "user"),
		sockets: map[string]string{}, disk: "4096 1000 250",
	}
	host, _ := newKey(t)
	user, text := newKey(t)
	if err := os.WriteFile(g.KeyFile, text, 0o600); err != nil {
		t.Fatal(err)
	}
	g.config = &ssh.ServerConfig{
		PublicKeyCallback: func(_ ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
			if string(key.Marshal()) != string(user.PublicKey().Marshal()) {
				return nil, errors.New("unknown key")
			}
			return &ssh.Permissions{}, nil
		},
	}
	g.config.AddHostKey(host)
	g.Listen("127.0.0.1:0")
	t.Cleanup(g.Stop)
	return g
}

// Addr returns the address of the SSH server.
func (g *Guest) Addr() string { return g.listener.Addr().String() }

// Listen makes a stopped guest listen at addr.
func (g *Guest) Listen(addr string) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		g.t.Fatal(err)
	}
	g.listener = l
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go g.Serve(conn)
		}
	}()
}

// Stop stops the server and closes all its connections.
func (g *Guest) Stop() {
	g.listener.Close()
	g.Cut()
}

// Cut closes all connections, as if the server's processes were killed.
func (g *Guest) Cut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, conn := range g.conns {
		conn.Close()
	}
	g.conns = nil
}

// Mute makes the guest silent, as if it were suspended, until speak is called.
func (g *Guest) Mute() (speak func()) {
	g.mute.Lock()
	return g.mute.Unlock
}

// Socket serves a path in the guest by a socket on this machine.
func (g *Guest) Socket(path, here string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.sockets[path] = here
}

// Disk sets the size and the free space in heartbeats, in blocks of 4096 bytes.
func (g *Guest) Disk(size, free int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.disk = fmt.Sprintf("4096 %d %d", size, free)
}

// muteConn writes nothing while the guest is silent.
type muteConn struct {
	net.Conn
	guest *Guest
}

func (c *muteConn) Write(p []byte) (int, error) {
	c.guest.mute.RLock()
	defer c.guest.mute.RUnlock()
	return c.Conn.Write(p)
}

// Serve serves one connection until it is closed.
func (g *Guest) Serve(raw net.Conn) {
	defer raw.Close()
	g.mu.Lock()
	g.conns = append(g.conns, raw)
	g.mu.Unlock()
	_, channels, requests, err := ssh.NewServerConn(&muteConn{Conn: raw, guest: g}, g.config)
	if err != nil {
		return
	}
	go ssh.DiscardRequests(requests)
	for opening := range channels {
		switch opening.ChannelType() {
		case "session":
			go g.session(opening)
		case "direct-streamlocal@openssh.com":
			go g.connectUnix(opening)
		case "direct-tcpip":
			go g.connectTCP(opening)
		default:
			_ = opening.Reject(ssh.UnknownChannelType, "")
		}
	}
}

func (g *Guest) session(opening ssh.NewChannel) {
	channel, requests, err := opening.Accept()
	if err != nil {
		return
	}
	defer func() { _ = channel.Close() }()
	for request := range requests {
		_ = request.Reply(request.Type == "exec", nil)
		if request.Type == "exec" {
			break
		}
	}
	go ssh.DiscardRequests(requests)
	fmt.Fprintln(channel, "welcome to this guest")
	lines := bufio.NewScanner(channel)
	for lines.Scan() {
		g.mu.Lock()
		disk := g.disk
		g.mu.Unlock()
		fmt.Fprintf(channel, "rdd-beat boot-1 12.50 %s\n", disk)
	}
}

func (g *Guest) connectUnix(opening ssh.NewChannel) {
	var where struct {
		Path      string
		Reserved  string
		Reserved2 uint32
	}
	if err := ssh.Unmarshal(opening.ExtraData(), &where); err != nil {
		_ = opening.Reject(ssh.ConnectionFailed, err.Error())
		return
	}
	g.mu.Lock()
	if here, ok := g.sockets[where.Path]; ok {
		where.Path = here
	}
	g.mu.Unlock()
	g.connect(opening, "unix", where.Path)
}

func (g *Guest) connectTCP(opening ssh.NewChannel) {
	var where struct {
		Host   string
		Port   uint32
		Origin string
		From   uint32
	}
	if err := ssh.Unmarshal(opening.ExtraData(), &where); err != nil {
		_ = opening.Reject(ssh.ConnectionFailed, err.Error())
		return
	}
	g.connect(opening, "tcp", net.JoinHostPort(where.Host, strconv.Itoa(int(where.Port))))
}

func (g *Guest) connect(opening ssh.NewChannel, network, addr string) {
	conn, err := (&net.Dialer{}).DialContext(g.t.Context(), network, addr)
	if err != nil {
		_ = opening.Reject(ssh.ConnectionFailed, "open failed")
		return
	}
	channel, requests, err := opening.Accept()
	if err != nil {
		conn.Close()
		return
	}
	go ssh.DiscardRequests(requests)
	var both sync.WaitGroup
	both.Go(func() {
		_, _ = io.Copy(conn, channel)
		if half, ok := conn.(interface{ CloseWrite() error }); ok {
			_ = half.CloseWrite()
		}
	})
	both.Go(func() {
		_, _ = io.Copy(channel, conn)
		_ = channel.CloseWrite()
	})
	both.Wait()
	conn.Close()
	_ = channel.Close()
}
