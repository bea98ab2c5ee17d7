package guest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/agent/watch/guest/guesttest"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/testkit"
)

const deadline = 20 * time.Second

// linked is a running link, with the calls of its hooks.
type linked struct {
	ups    chan *Conn
	downs  chan error
	beats  chan limahost.Guest
	failed chan error
	link   *Link
}

// runLink runs a link to a guest, with a tick of 20 ms.
func runLink(t *testing.T, g *guesttest.Guest, change func(*Config)) *linked {
	t.Helper()
	l := &linked{
		ups: make(chan *Conn, 100), downs: make(chan error, 100),
		beats: make(chan limahost.Guest, 10000), failed: make(chan error, 10000),
	}
	c := Config{
		Addr: g.Addr(), User: "rdd", KeyFile: g.KeyFile,
		KnownHosts: filepath.Join(t.TempDir(), "known_hosts"), DataDir: "/var/lib/docker", Tick: 20 * time.Millisecond,
	}
	if change != nil {
		change(&c)
	}
	l.link = New(c, Hooks{
		Answered: func() {},
		Failed:   func(err error) { l.failed <- err },
		Up:       func(c *Conn) { l.ups <- c },
		Beat:     func(g limahost.Guest) { l.beats <- g },
		Down:     func(err error) { l.downs <- err },
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		l.link.Run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	return l
}

func next[T any](t *testing.T, what string, from <-chan T) T {
	t.Helper()
	select {
	case got := <-from:
		return got
	case <-time.After(deadline):
		t.Fatal("no " + what)
	}
	panic("not reached")
}

// echo sends a text to the guest's echo server.
func echo(t *testing.T, c *Conn, socket string) {
	t.Helper()
	conn, err := c.Dial(t.Context(), socket)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write([]byte("hello guest")); err != nil {
		t.Fatal(err)
	}
	if err := conn.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(conn)
	if err != nil || string(got) != "HELLO GUEST" {
		t.Fatalf("the guest answered %q, %v", got, err)
	}
}

func TestLinkBeatsAndDials(t *testing.T) {
	g := guesttest.Start(t)
	l := runLink(t, g, nil)
	conn := next(t, "connection", l.ups)
	beat := next(t, "heartbeat", l.beats)
	if beat.BootID != "boot-1" || beat.Uptime != 12500*time.Millisecond || beat.DiskSize != 4096000 || beat.DiskFree != 1024000 {
		t.Errorf("heartbeat %+v", beat)
	}
	socket := echoAt(t)
	echo(t, conn, socket)
	if _, err := conn.Dial(t.Context(), socket+".not"); err == nil {
		t.Error("a socket that is not there was connected to")
	}
	for range 5 {
		next(t, "heartbeat", l.beats)
	}
}

// The SSH connection is killed, and works again within seconds.
func TestLinkReconnects(t *testing.T) {
	g := guesttest.Start(t)
	l := runLink(t, g, nil)
	socket := echoAt(t)
	for range 3 {
		conn := next(t, "connection", l.ups)
		echo(t, conn, socket)
		hanging, err := conn.Dial(t.Context(), socket)
		if err != nil {
			t.Fatal(err)
		}
		cut := time.Now()
		g.Cut()
		next(t, "word of the loss", l.downs)
		if _, err := hanging.Read(make([]byte, 1)); err == nil {
			t.Error("a connection through the closed link is still open")
		}
		again := next(t, "new connection", l.ups)
		if took := time.Since(cut); took > 2*time.Second {
			t.Errorf("it took %v", took)
		}
		l.ups <- again
	}
}

// A guest that is suspended counts as silent, and is reached again when it continues.
func TestLinkClosesSilentConnection(t *testing.T) {
	g := guesttest.Start(t)
	l := runLink(t, g, nil)
	next(t, "connection", l.ups)
	next(t, "heartbeat", l.beats)
	speak := g.Mute()
	if err := next(t, "word of the silence", l.downs); !errors.Is(err, ErrSilent) {
		t.Errorf("down because of %v", err)
	}
	speak()
	echo(t, next(t, "new connection", l.ups), echoAt(t))
}

// The guest's SSH server starts late, as at boot.
func TestLinkWaitsForLateServer(t *testing.T) {
	g := guesttest.Start(t)
	addr := g.Addr()
	g.Stop()
	l := runLink(t, g, func(c *Config) { c.Addr = addr })
	for range 3 {
		next(t, "failed attempt", l.failed)
	}
	g.Listen(addr)
	next(t, "connection", l.ups)
}

// An attempt before the guest has a network is lost. The notification of the network
// begins another one at once.
func TestNetworkUpStartsAttempt(t *testing.T) {
	g := guesttest.Start(t)
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	accepted := make(chan net.Conn, 100)
	go func() {
		for {
			conn, err := silent.Accept()
			if err != nil {
				return
			}
			accepted <- conn
		}
	}()
	l := runLink(t, g, func(c *Config) { c.Addr = silent.Addr().String() })
	for range 3 {
		next(t, "attempt", accepted)
	}
	l.link.NetworkUp()
	first := next(t, "attempt", accepted)
	select {
	case <-accepted:
		t.Error("a guest that has a network is not waited for")
	case <-time.After(2 * eagerTimeout):
	}
	// The same attempt is served late.
	go g.Serve(first)
	next(t, "connection", l.ups)
}

func TestHeartbeatStartsOnRequest(t *testing.T) {
	g := guesttest.Start(t)
	after := make(chan struct{})
	l := runLink(t, g, func(c *Config) { c.HeartbeatAfter = after })
	next(t, "connection", l.ups)
	select {
	case <-l.beats:
		t.Error("a heartbeat before its time")
	case err := <-l.downs:
		t.Errorf("down although the SSH server answers: %v", err)
	case <-time.After(20 * 20 * time.Millisecond):
	}
	close(after)
	next(t, "heartbeat", l.beats)
	// A silent guest is noticed before the heartbeat begins, too.
	l = runLink(t, g, func(c *Config) { c.HeartbeatAfter = make(chan struct{}) })
	next(t, "connection", l.ups)
	defer g.Mute()()
	if err := next(t, "word of the silence", l.downs); !errors.Is(err, ErrSilent) {
		t.Errorf("down because of %v", err)
	}
}

func TestLoginRequiresFirstHostKey(t *testing.T) {
	g := guesttest.Start(t)
	pins := filepath.Join(t.TempDir(), "known_hosts")
	pinned := func(c *Config) { c.KnownHosts = pins }
	next(t, "connection", runLink(t, g, pinned).ups)
	text, err := os.ReadFile(pins)
	if err != nil || !strings.HasPrefix(string(text), limahost.SSHHost+" ssh-ed25519 ") {
		t.Fatalf("known_hosts is %q, %v", text, err)
	}
	next(t, "connection", runLink(t, g, pinned).ups)
	other := guesttest.Start(t)
	other.KeyFile = g.KeyFile
	l := runLink(t, other, pinned)
	if err := next(t, "failed attempt", l.failed); !strings.Contains(err.Error(), "another SSH host key") {
		t.Errorf("another key: %v", err)
	}
}

func TestParseBeatRefusesInvalidValues(t *testing.T) {
	now := time.Now()
	for line, want := range map[string]bool{
		"rdd-beat b 1.5 4096 10 5":   true,
		"rdd-beat b 1.5 0 0 0":       true,
		"rdd-beat b x 4096 10 5":     false,
		"rdd-beat b 1.5 4096 10":     false,
		"rdd-beat b 1.5 4096 ten 5":  false,
		"Last login: Mon Nov 23 5 6": false,
		"":                           false,
	} {
		if _, ok := parseBeat(line, now); ok != want {
			t.Errorf("%q is a heartbeat: %v", line, ok)
		}
	}
}

// echoAt serves in the guest. It answers with the whole input in capitals.
func echoAt(t *testing.T) string {
	t.Helper()
	path := filepath.Join(testkit.ShortDir(t), "echo")
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
				if text, err := io.ReadAll(conn); err == nil {
					fmt.Fprint(conn, strings.ToUpper(string(text)))
				}
			}()
		}
	}()
	return path
}
