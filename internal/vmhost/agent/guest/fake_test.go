package guest

import (
	"bufio"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/crypto/ssh"
)

// fakeGuest is an SSH server that stands for a guest's: it answers heartbeats and
// connects to unix sockets.
type fakeGuest struct {
	t        *testing.T
	config   *ssh.ServerConfig
	keyFile  string
	listener net.Listener

	mu    sync.Mutex
	conns []net.Conn
	// mute holds back all that the guest would say, as a guest that was stopped.
	mute *sync.RWMutex
	boot string
	asks int
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

func startGuest(t *testing.T) *fakeGuest {
	t.Helper()
	g := &fakeGuest{t: t, mute: &sync.RWMutex{}, boot: "boot-1", keyFile: filepath.Join(t.TempDir(), "user")}
	host, _ := newKey(t)
	user, text := newKey(t)
	if err := os.WriteFile(g.keyFile, text, 0o600); err != nil {
		t.Fatal(err)
	}
	g.config = &ssh.ServerConfig{
		PublicKeyCallback: func(_ ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
			if string(key.Marshal()) != string(user.PublicKey().Marshal()) {
				return nil, fmt.Errorf("unknown key")
			}
			return &ssh.Permissions{}, nil
		},
	}
	g.config.AddHostKey(host)
	g.listen("127.0.0.1:0")
	t.Cleanup(g.stop)
	return g
}

func (g *fakeGuest) addr() string { return g.listener.Addr().String() }

func (g *fakeGuest) listen(addr string) {
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
			g.mu.Lock()
			g.conns = append(g.conns, conn)
			g.mu.Unlock()
			go g.serve(&muteConn{Conn: conn, mute: g.mute})
		}
	}()
}

// cut drops all connections, as when the server's processes are killed.
func (g *fakeGuest) cut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, conn := range g.conns {
		conn.Close()
	}
	g.conns = nil
}

func (g *fakeGuest) stop() {
	g.listener.Close()
	g.cut()
}

// muteConn says nothing while it is mute.
type muteConn struct {
	net.Conn
	mute *sync.RWMutex
}

func (c *muteConn) Write(p []byte) (int, error) {
	c.mute.RLock()
	defer c.mute.RUnlock()
	return c.Conn.Write(p)
}

func (g *fakeGuest) serve(raw net.Conn) {
	defer raw.Close()
	_, channels, requests, err := ssh.NewServerConn(raw, g.config)
	if err != nil {
		return
	}
	go ssh.DiscardRequests(requests)
	for opening := range channels {
		switch opening.ChannelType() {
		case "session":
			go g.session(opening)
		case "direct-streamlocal@openssh.com":
			go g.connect(opening)
		default:
			_ = opening.Reject(ssh.UnknownChannelType, "")
		}
	}
}

func (g *fakeGuest) session(opening ssh.NewChannel) {
	channel, requests, err := opening.Accept()
	if err != nil {
		return
	}
	defer channel.Close()
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
		g.asks++
		boot := g.boot
		g.mu.Unlock()
		fmt.Fprintf(channel, "rdd-beat %s 12.50 4096 1000 250\n", boot)
	}
}

func (g *fakeGuest) connect(opening ssh.NewChannel) {
	var where struct {
		Path      string
		Reserved  string
		Reserved2 uint32
	}
	if err := ssh.Unmarshal(opening.ExtraData(), &where); err != nil {
		_ = opening.Reject(ssh.ConnectionFailed, err.Error())
		return
	}
	conn, err := net.Dial("unix", where.Path)
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
		_ = conn.(*net.UnixConn).CloseWrite()
	})
	both.Go(func() {
		_, _ = io.Copy(channel, conn)
		_ = channel.CloseWrite()
	})
	both.Wait()
	conn.Close()
	channel.Close()
}

// echoAt serves in the guest: it answers with all that it got, once it has all.
func echoAt(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "gs")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	path := filepath.Join(dir, "echo")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				text, err := io.ReadAll(conn)
				if err == nil {
					_, _ = conn.Write([]byte(strings.ToUpper(string(text))))
				}
			}()
		}
	}()
	return path
}
