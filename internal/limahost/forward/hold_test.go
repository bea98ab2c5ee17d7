package forward

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/testkit"
)

// held is a Hold that counts the clients that need the engine.
type held struct {
	*Hold
	path   string
	needed atomic.Int64
}

func holdAt(t *testing.T, path string) *held {
	t.Helper()
	h := &held{path: path}
	var err error
	if h.Hold, err = OpenHold(path, func() { h.needed.Add(1) }, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.Close)
	return h
}

// send sends a request and the end of the input, and returns the answer.
func send(conn *net.UnixConn, request string) (string, error) {
	if _, err := conn.Write([]byte(request)); err != nil {
		return "", err
	}
	if err := conn.CloseWrite(); err != nil {
		return "", err
	}
	answer, err := io.ReadAll(conn)
	return string(answer), err
}

func (h *held) waitNeeded(t *testing.T, n int64) {
	t.Helper()
	testkit.EventuallyTrue(t, deadline, "the clients need the engine", func() bool { return h.needed.Load() == n })
}

// Connections that arrive before the engine runs are forwarded when it does.
func TestHoldForwardsHeldConnections(t *testing.T) {
	h := holdAt(t, filepath.Join(testkit.ShortDir(t), "run", "docker.sock"))
	if info, err := os.Stat(h.path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v: want mode 0600", info, err)
	}
	answers := make(chan string, 2)
	for _, request := range []string{"first", "second"} {
		conn := dialHost(t, h.path)
		go func() {
			answer, err := send(conn, request)
			answers <- answer + errorText(err)
		}()
	}
	h.waitNeeded(t, 2)
	select {
	case answer := <-answers:
		t.Fatalf("answered %q before the engine ran", answer)
	default:
	}
	// The engine's socket may appear a moment later.
	var attempts atomic.Int64
	engine := guestAt(t, echoAfterEnd)
	h.Forward(func(ctx context.Context) (net.Conn, error) {
		if attempts.Add(1) < 3 {
			return nil, errors.New("no socket yet")
		}
		return engine(ctx)
	})
	got := map[string]bool{<-answers: true, <-answers: true}
	if len(got) != 2 || !got["first"] {
		t.Errorf("answers %v", got)
	}
	if _, err := os.Lstat(h.path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket is left: %v", err)
	}
	testkit.EventuallyTrue(t, deadline, "all connections end", func() bool { return h.Open() == 0 })
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return ": " + err.Error()
}

// A start that fails closes the connections without an answer, and leaves no socket.
func TestHoldCloseEndsConnections(t *testing.T) {
	h := holdAt(t, filepath.Join(testkit.ShortDir(t), "docker.sock"))
	conn, ended := dialHost(t, h.path), make(chan string, 1)
	go func() {
		answer, _ := send(conn, "hello")
		ended <- answer
	}()
	h.waitNeeded(t, 1)
	h.Close()
	if answer := <-ended; answer != "" {
		t.Errorf("answer %q", answer)
	}
	if _, err := os.Lstat(h.path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket is left: %v", err)
	}
}

// A connection without a request is a check whether something listens.
func TestHoldIgnoresEmptyConnections(t *testing.T) {
	h := holdAt(t, filepath.Join(testkit.ShortDir(t), "docker.sock"))
	_ = dialHost(t, h.path).Close()
	conn := dialHost(t, h.path)
	if _, err := conn.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	h.waitNeeded(t, 1)
	testkit.EventuallyTrue(t, deadline, "the empty connection ends", func() bool { return h.Open() == 1 })
}

// Daemon and host agent replace each other's socket, and remove their own only.
func TestSocketsReplaceEachOther(t *testing.T) {
	f, path := opened(t, guestAt(t, echoAfterEnd))
	h := holdAt(t, path)
	if f.Exists() {
		t.Error("the socket of the guest is not replaced")
	}
	f.Close()
	if !h.socket.exists() {
		t.Fatal("the end of the guest has removed the daemon's socket")
	}
	next, err := Open(path, guestAt(t, echoAfterEnd), nil, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer next.Close()
	h.Close()
	if !next.Exists() {
		t.Error("the daemon has removed the socket of the guest")
	}
}

// The agent counts the connections of each process, and remembers the last ones.
func TestClientsCounted(t *testing.T) {
	var all atomic.Pointer[[]limahost.EngineClient]
	clients := NewClients(func(now []limahost.EngineClient) { all.Store(&now) })
	if now := *all.Load(); now == nil || len(now) != 0 {
		t.Errorf("%+v at the beginning", now)
	}
	path := filepath.Join(testkit.ShortDir(t), "docker.sock")
	f, err := Open(path, guestAt(t, echoAfterEnd), clients, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	began := time.Now()
	count := func(want int) func() bool {
		return func() bool {
			now := *all.Load()
			return len(now) == 1 && now[0].PID == os.Getpid() && now[0].Open == want && !now[0].Used.Before(began)
		}
	}
	one, other := dialHost(t, path), dialHost(t, path)
	testkit.EventuallyTrue(t, deadline, "two connections are counted", count(2))
	_, _ = one.Close(), other.Close()
	testkit.EventuallyTrue(t, deadline, "none is left", count(0))
	for pid := range 5 {
		clients.add(pid+1_000_000, 1)
		clients.add(pid+1_000_000, -1)
	}
	if now := *all.Load(); len(now) != keptClients || now[0].PID != 1_000_004 {
		t.Errorf("kept %+v", now)
	}
}
