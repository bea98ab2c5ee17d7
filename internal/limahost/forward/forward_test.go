package forward

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/testkit"
)

const deadline = 10 * time.Second

// guestAt serves at a socket in place of one in the guest.
func guestAt(t *testing.T, serve func(*net.UnixConn)) Dial {
	t.Helper()
	path := filepath.Join(testkit.ShortDir(t), "guest")
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
			go serve(conn.(*net.UnixConn))
		}
	}()
	return func(ctx context.Context) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", path)
	}
}

func opened(t *testing.T, dial Dial) (*Forward, string) {
	t.Helper()
	socket := filepath.Join(testkit.ShortDir(t), "run", "docker.sock")
	f, err := Open(socket, dial, nil, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Close)
	return f, socket
}

func dialHost(t *testing.T, socket string) *net.UnixConn {
	t.Helper()
	conn, err := net.Dial("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(deadline)); err != nil {
		t.Fatal(err)
	}
	return conn.(*net.UnixConn)
}

// echoAfterEnd answers with the whole input at its end.
func echoAfterEnd(conn *net.UnixConn) {
	defer conn.Close()
	all, err := io.ReadAll(conn)
	if err == nil {
		_, _ = conn.Write(all)
	}
}

func TestServeForwardsHalfClose(t *testing.T) {
	_, socket := opened(t, guestAt(t, echoAfterEnd))
	conn := dialHost(t, socket)
	sent := bytes.Repeat([]byte("a build's context "), 1<<18)
	go func() {
		_, _ = conn.Write(sent)
		_ = conn.CloseWrite()
	}()
	got, err := io.ReadAll(conn)
	if err != nil || !bytes.Equal(got, sent) {
		t.Errorf("%d bytes of %d came back, %v", len(got), len(sent), err)
	}
}

func TestServeHandlesManyConnections(t *testing.T) {
	_, socket := opened(t, guestAt(t, echoAfterEnd))
	var all sync.WaitGroup
	failed := make(chan error, 300)
	for i := range 300 {
		all.Go(func() {
			conn, err := net.Dial("unix", socket)
			if err != nil {
				failed <- err
				return
			}
			defer conn.Close()
			_ = conn.SetDeadline(time.Now().Add(deadline))
			said := fmt.Sprintf("I am %d", i)
			_, _ = conn.Write([]byte(said))
			_ = conn.(*net.UnixConn).CloseWrite()
			got, err := io.ReadAll(conn)
			if err == nil && string(got) != said {
				err = fmt.Errorf("%q for %q", got, said)
			}
			failed <- err
		})
	}
	all.Wait()
	close(failed)
	for err := range failed {
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestServeClosesWhenGuestRefuses(t *testing.T) {
	_, socket := opened(t, func(context.Context) (net.Conn, error) { return nil, errors.New("no engine") })
	conn := dialHost(t, socket)
	if got, err := io.ReadAll(conn); err != nil || len(got) != 0 {
		t.Errorf("%q, %v; want a connection that is closed at once", got, err)
	}
}

// The socket of a silent guest is removed, and its clients do not hang.
func TestCloseClosesAllConnections(t *testing.T) {
	silent := make(chan struct{})
	defer close(silent)
	f, socket := opened(t, guestAt(t, func(conn *net.UnixConn) {
		_, _ = conn.Write([]byte("x"))
		<-silent
		conn.Close()
	}))
	conn := dialHost(t, socket)
	if _, err := io.ReadFull(conn, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	f.Close()
	if _, err := conn.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("read: %v, want the end of the connection", err)
	}
	if _, err := net.Dial("unix", socket); err == nil {
		t.Error("the socket of a closed forward takes connections")
	}
}

// E8: another local user has no access.
func TestOpenMakesSocketPrivate(t *testing.T) {
	_, socket := opened(t, guestAt(t, echoAfterEnd))
	for path, want := range map[string]os.FileMode{socket: 0o600, filepath.Dir(socket): 0o700} {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != want {
			t.Errorf("%s has mode %o, want %o", path, info.Mode().Perm(), want)
		}
	}
}

func TestOpenReplacesStaleSocket(t *testing.T) {
	socket := filepath.Join(testkit.ShortDir(t), "docker.sock")
	if err := os.WriteFile(socket, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := Open(socket, guestAt(t, echoAfterEnd), nil, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
}
