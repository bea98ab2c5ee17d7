package controlplane_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/controlplane/controlplanetest"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/testkit"
)

// Each impersonation header is refused, for users and within the process.
func TestImpersonationRefused(t *testing.T) {
	opts := controlplanetest.Options(t)
	server := controlplanetest.StartWith(t, opts)
	for _, config := range []*rest.Config{userConfig(t, opts), server.RESTConfig()} {
		for _, as := range []rest.ImpersonationConfig{
			{UserName: "someone"},
			{UserName: "someone", Groups: []string{"g"}, UID: "1", Extra: map[string][]string{"x": {"y"}}},
		} {
			impersonating := rest.CopyConfig(config)
			impersonating.Impersonate = as
			_, err := dynamicClient(t, impersonating).Resource(namespaces).List(t.Context(), metav1.ListOptions{})
			if !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), "Impersonate-") || !strings.Contains(err.Error(), "omit the header") {
				t.Errorf("as %v: got %v", as, err)
			}
		}
	}
}

// needDescriptors skips a test if the process cannot have enough file descriptors.
func needDescriptors(t *testing.T, count uint64) {
	t.Helper()
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	if limit.Cur < count {
		t.Skipf("a process may have %d descriptors, and this needs %d", limit.Cur, count)
	}
}

// Thousands of idle connections without a token do not block a client with the token.
func TestIdleConnectionsDoNotBlockClients(t *testing.T) {
	const strangers, most = 3000, 1100
	needDescriptors(t, 8192+1024)
	opts := controlplanetest.Options(t)
	server := controlplanetest.StartWith(t, opts)
	before := dynamicClient(t, userConfig(t, opts))
	watch, err := before.Resource(namespaces).Watch(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer watch.Stop()
	var conns []net.Conn
	for range strangers {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", fmt.Sprintf("127.0.0.1:%d", server.Port()))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		conns = append(conns, conn)
	}
	if _, err := dynamicClient(t, userConfig(t, opts)).Resource(namespaces).List(t.Context(), metav1.ListOptions{}); err != nil {
		t.Errorf("a client with the token is blocked: %v", err)
	}
	// The server has not timed out their handshakes yet.
	testkit.Eventually(t, 8*time.Second, "strangers to make room", func() error {
		if open := countOpen(conns); open > most {
			return fmt.Errorf("%d connections are open", open)
		}
		return nil
	})
	must(t, before, namespaces, newNamespace("watched"))
	if event, ok := <-watch.ResultChan(); !ok {
		t.Errorf("an earlier watch was ended: %v", event)
	}
}

// countOpen counts the connections that the server has not closed.
func countOpen(conns []net.Conn) int {
	open := 0
	for _, conn := range conns {
		_ = conn.SetReadDeadline(time.Now().Add(time.Microsecond))
		if _, err := conn.Read(make([]byte, 1)); errors.Is(err, os.ErrDeadlineExceeded) {
			open++
		}
	}
	return open
}

// A request without a token gets its response at once, although its body never arrives.
func TestMissingBodyWithoutTokenUnauthorized(t *testing.T) {
	opts := controlplanetest.Options(t)
	server := controlplanetest.StartWith(t, opts)
	conn, err := (&tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true}}).DialContext(t.Context(), "tcp", fmt.Sprintf("127.0.0.1:%d", server.Port()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(8 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, "POST /api/v1/namespaces HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{"); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusUnauthorized || !response.Close {
		t.Errorf("got %s, closed afterwards: %t", response.Status, response.Close)
	}
}

// lines collects log lines.
type lines struct {
	slog.Handler

	mutex sync.Mutex
	text  []string
}

func (l *lines) Enabled(context.Context, slog.Level) bool { return true }

func (l *lines) Handle(_ context.Context, record slog.Record) error {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.text = append(l.text, record.Message)
	return nil
}

func (l *lines) WithAttrs([]slog.Attr) slog.Handler { return l }
func (l *lines) WithGroup(string) slog.Handler      { return l }

func (l *lines) count(words string) int {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	count := 0
	for _, line := range l.text {
		if strings.Contains(line, words) {
			count++
		}
	}
	return count
}

// Hundreds of rejected requests and of connections without TLS cause a few log lines.
func TestRejectedRequestsLogFewLines(t *testing.T) {
	logged := &lines{}
	opts := controlplanetest.Options(t)
	opts.Logger = slog.New(logged)
	server := controlplanetest.StartWith(t, opts)
	config := userConfig(t, opts)
	config.BearerToken = "wrong"
	client := dynamicClient(t, config)
	for range 300 {
		if _, err := client.Resource(namespaces).List(t.Context(), metav1.ListOptions{}); !apierrors.IsUnauthorized(err) {
			t.Fatalf("got %v", err)
		}
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", fmt.Sprintf("127.0.0.1:%d", server.Port()))
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(conn, "GET / HTTP/1.1\r\n\r\n")
		_, _ = io.Copy(io.Discard, conn)
		conn.Close()
	}
	for words, most := range map[string]int{"without the API token": 5, "handshake": 5, "authenticate": 0} {
		if got := logged.count(words); got > most {
			t.Errorf("%d lines about %q", got, words)
		}
	}
	if logged.count("without the API token") == 0 {
		t.Error("no line reports the rejected requests")
	}
}
