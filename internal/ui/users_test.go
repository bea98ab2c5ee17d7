package ui

import (
	"bytes"
	"errors"
	"log/slog"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

// accepts reports whether a listener with a lookup keeps a connection of this process, and
// what it has logged.
func accepts(t *testing.T, lookup userLookup) (kept bool, logged string) {
	t.Helper()
	var log bytes.Buffer
	plain, err := bind(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := checkUsers(t.Context(), plain, lookup, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	accepted := make(chan net.Conn, 1)
	go func() {
		conn, _ := listener.Accept()
		accepted <- conn
	}()
	client, err := net.Dial("tcp4", plain.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	refused := make(chan struct{})
	go func() {
		_, _ = client.Read(make([]byte, 1)) // it ends when either side closes the connection
		close(refused)
	}()
	var conn net.Conn
	select {
	case conn = <-accepted:
		conn.Close()
		kept = true
		listener.Close()
	case <-refused:
		listener.Close()
		conn = <-accepted
		kept = conn != nil
	case <-time.After(deadline):
		t.Fatal("the connection was neither accepted nor refused")
	}
	return kept, log.String()
}

// The answer of a kernel without the lookup is the same as that for an unknown socket.
func TestUserCheckIsDecidedAtStart(t *testing.T) {
	afterFirst := func(uid int, err error) userLookup {
		first := true
		return func(net.Addr, net.Addr) (int, error) {
			if first {
				first = false
				return os.Getuid(), nil
			}
			return uid, err
		}
	}
	always := func(uid int, err error) userLookup { return func(net.Addr, net.Addr) (int, error) { return uid, err } }
	for name, test := range map[string]struct {
		lookup userLookup
		kept   bool
		logged string
	}{
		"this user":                {always(os.Getuid(), nil), true, ""},
		"no lookup":                {always(0, syscall.ENOENT), true, "does not report"},
		"another system":           {always(0, errNoUsers), true, "level=INFO"},
		"a wrong user":             {always(os.Getuid()+1, nil), true, "does not report"},
		"another user":             {afterFirst(os.Getuid()+1, nil), false, "not this user's"},
		"an unknown socket":        {afterFirst(0, syscall.ENOENT), false, "not this user's"},
		"a lookup that is refused": {afterFirst(0, syscall.EPERM), false, "not this user's"},
		"a failed lookup":          {afterFirst(0, errors.ErrUnsupported), false, "not this user's"},
	} {
		t.Run(name, func(t *testing.T) {
			kept, logged := accepts(t, test.lookup)
			lines := strings.Count(logged, "level=")
			if kept != test.kept || !strings.Contains(logged, test.logged) || (test.logged != "") != (lines == 1) {
				t.Errorf("kept is %v: %s", kept, logged)
			}
		})
	}
}
